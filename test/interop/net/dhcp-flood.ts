import type { MessageType } from '@tinkerbell/dhcp';
import { bundle } from './bundle';
import { runIn } from './namespace';

export interface Flood {
  readonly type: MessageType;
  readonly count: number;
  /** Of every message; without it each has another one. */
  readonly mac?: string;
  /** The address that they are about. */
  readonly address: string;
  readonly giaddr?: string;
  readonly server: string;
}

/** Resolves when all have left; returns how many did. */
export async function floodDhcp(namespace: string, flood: Flood): Promise<number> {
  const program = await bundle('test/interop/net/dhcp-flood.main.ts');
  try {
    const command = [process.execPath, program.file, JSON.stringify(flood)];
    const { stdout, stderr } = await runIn(namespace, command, { timeoutMs: 100_000 });
    if (stderr !== '') throw new Error(stderr);
    return Number(stdout);
  } finally {
    await program.remove();
  }
}
