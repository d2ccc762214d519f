import type { MessageType } from '@tinkerbell/dhcp';
import { bundle } from './bundle';
import { runIn } from './namespace';

/** What no decent client sends, and how often. */
export type Flood = { readonly count: number } & (DhcpFlood | OtherFlood);

export interface DhcpFlood {
  readonly kind: 'dhcp';
  readonly type: MessageType;
  /** Of every message; without it each has another one. */
  readonly mac?: string;
  /** The address that they are about. */
  readonly address: string;
  readonly giaddr?: string;
  readonly server: string;
}

export interface OtherFlood {
  readonly kind: 'dhcp6-duids' | 'dhcp6-nested' | 'dhcp6-options' | 'tftp-options' | 'syslog';
  readonly target: string;
  readonly port: number;
}

/** Resolves when all have left; returns how many did. */
export async function flood(namespace: string, what: Flood): Promise<number> {
  const program = await bundle('test/interop/net/flood.main.ts');
  try {
    const command = [process.execPath, program.file, JSON.stringify(what)];
    const { stdout, stderr } = await runIn(namespace, command, { timeoutMs: 100_000 });
    if (stderr !== '') throw new Error(stderr);
    return Number(stdout);
  } finally {
    await program.remove();
  }
}
