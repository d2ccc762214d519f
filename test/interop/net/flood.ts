import { bundle } from './bundle';
import { runIn } from './namespace';

export interface FloodOf {
  readonly kind: 'dhcp6-duids' | 'dhcp6-nested' | 'dhcp6-options' | 'tftp-options';
  readonly count: number;
  readonly target: string;
  readonly port: number;
}

/** Resolves when all have left; returns how many did. */
export async function flood(namespace: string, what: FloodOf): Promise<number> {
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
