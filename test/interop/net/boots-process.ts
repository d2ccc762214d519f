import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { createInterface } from 'node:readline';
import type { Aggregate, AnyEvent, HardwareRecord } from '@tinkerbell/events';
import type { MachineLine } from '@tinkerbell/messaging';
import { bundle } from './bundle';
import { type Network, spawnIn } from './namespace';

export interface BootsInput {
  readonly settings: Readonly<Record<string, unknown>>;
  /** Where its log lies, which several share; without, it lies in memory. */
  readonly natsUrl?: string;
  /** Where its leases lie for its next start. */
  readonly leaseFolder?: string;
  readonly hardware: readonly HardwareRecord[];
  /** Further events in the log before boots starts. */
  readonly events?: readonly { readonly aggregate: Aggregate; readonly id: string; readonly event: AnyEvent }[];
  /** It takes syslog of machines. */
  readonly syslog?: boolean;
}

/** What the process says on standard output, one JSON a line. */
export type BootsLine =
  | { readonly ready: { readonly dhcp: number; readonly tftp: number; readonly http: number } }
  | { readonly logged: MachineLine }
  | { readonly aggregate: string; readonly id: string; readonly event: AnyEvent };

export interface BootsProcess {
  readonly ports: { readonly dhcp: number; readonly tftp: number; readonly http: number };
  /** Every event in the log so far. */
  readonly events: readonly AnyEvent[];
  /** The same, of one aggregate. */
  eventsOf(id: string): readonly AnyEvent[];
  /** What machines said by syslog so far. */
  readonly logged: readonly MachineLine[];
  log(): string;
  /** Memory of the process. */
  residentMiB(): Promise<number>;
  /** Resolves with the first event that fits, past ones included. Rejects when the process ends before. */
  event<T extends AnyEvent['type']>(
    type: T,
    fits?: (event: Extract<AnyEvent, { readonly type: T }>) => boolean,
    of?: { readonly id: string },
  ): Promise<Extract<AnyEvent, { readonly type: T }>>;
  signal(name: NodeJS.Signals): void;
  stop(): Promise<void>;
}

/** Builds boots and starts it on the usual ports: in the server's namespace of this network, or where it is told to. */
export async function startBootsIn(
  network: Pick<Network, 'server' | 'address'>,
  input: BootsInput,
): Promise<BootsProcess> {
  const program = await bundle('test/interop/net/boots.main.ts');
  const settings = { PUBLIC_IP: network.address, TINK_CA_SHA256: 'ab'.repeat(32), ...input.settings };
  const child = spawnIn(network.server, [process.execPath, '--enable-source-maps', program.file], {
    env: { ...process.env, BOOTS_INPUT: JSON.stringify({ ...input, settings }) },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const events: AnyEvent[] = [];
  const logged: MachineLine[] = [];
  const byId = new Map<string, AnyEvent[]>();
  const eventsOf = (id: string) => byId.get(id) ?? [];
  const waiting = new Set<() => void>();
  let ports: BootsProcess['ports'] | undefined;
  let log = '';
  let ended = false;
  const wake = () => [...waiting].forEach((look) => look());
  child.stderr?.on('data', (bytes: Buffer) => (log += bytes.toString()));
  if (!child.stdout) throw new Error('no standard output');
  createInterface({ input: child.stdout }).on('line', (text) => {
    const line = JSON.parse(text) as BootsLine;
    if ('ready' in line) ports = line.ready;
    else if ('logged' in line) logged.push(line.logged);
    else {
      events.push(line.event);
      const own = byId.get(line.id);
      if (own) own.push(line.event);
      else byId.set(line.id, [line.event]);
    }
    wake();
  });
  child.once('close', () => {
    ended = true;
    wake();
  });
  const until = <T>(look: () => T | undefined, what: string) =>
    new Promise<T>((resolve, reject) => {
      const again = () => {
        const found = look();
        if (found === undefined && !ended) return;
        waiting.delete(again);
        if (found !== undefined) resolve(found);
        else reject(new Error(`boots ended before ${what}; its log:\n${log.slice(-3000)}`));
      };
      waiting.add(again);
      again();
    });
  const stop = async () => {
    if (!ended) {
      child.kill('SIGCONT');
      child.kill('SIGTERM');
      await once(child, 'close');
    }
    await program.remove();
  };
  try {
    return {
      ports: await until(() => ports, 'it was ready'),
      events,
      eventsOf,
      logged,
      log: () => log,
      residentMiB: async () => {
        const status = await readFile(`/proc/${child.pid}/status`, 'utf8');
        return Number(/^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1]) / 1024;
      },
      event: (type, fits = () => true, of) => {
        type Wanted = Extract<AnyEvent, { readonly type: typeof type }>;
        const all = () => (of ? eventsOf(of.id) : events);
        return until(() => all().find((event): event is Wanted => event.type === type && fits(event as Wanted)), type);
      },
      signal: (name) => void child.kill(name),
      stop,
    };
  } catch (error) {
    await stop();
    throw error;
  }
}
