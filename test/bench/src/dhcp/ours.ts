import { type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { startTestNats, type TestNats } from '@tinkerbell/nats';
import { end, outputOf, type Wire } from './wire';

export interface OurServer {
  readonly program: ChildProcess;
  readonly nats: TestNats;
  /** What /metrics says under this name, without labels. */
  metric(name: string): Promise<number>;
  /** Ends boots and lets another process of it go on with the same log. */
  restart(signal: NodeJS.Signals): Promise<void>;
  stop(): Promise<void>;
}

/** boots, with its leases on a nats-server that writes each commit through to the disk. */
export async function startOurs(wire: Wire, clients: number): Promise<OurServer> {
  const nats = await startTestNats({ host: wire.host });
  try {
    return await startOn(nats, wire, clients);
  } catch (error) {
    await nats.stop();
    throw error;
  }
}

async function startOn(nats: TestNats, wire: Wire, clients: number): Promise<OurServer> {
  const start = async () => {
    const program = wire.server([process.execPath, join(__dirname, 'boots-dhcp.child.js')], {
      ...{ PUBLIC_IP: wire.address, BENCH_NATS: nats.url, BENCH_CLIENTS: String(clients) },
    });
    program.stderr?.pipe(process.stderr);
    if (!program.stdout) throw new Error('boots has no standard output');
    const died = once(program, 'exit').then(() => Promise.reject(new Error('boots ended at its start')));
    const said = once(createInterface({ input: program.stdout }), 'line');
    const [line] = (await Promise.race([said, died])) as [string];
    died.catch(() => undefined);
    const { http } = JSON.parse(line) as { readonly http: number };
    return { program, http };
  };
  let running = await start();
  const metric = async (name: string) => {
    const curl = ['curl', '-sS', '--max-time', '5', `http://${wire.address}:${running.http}/metrics`];
    const text = await outputOf(wire.client(curl));
    return Number(new RegExp(`^boots_${name} (\\S+)$`, 'm').exec(text)?.[1] ?? Number.NaN);
  };
  const active = async () => {
    while ((await metric('pool_active')) !== 1) await new Promise((resolve) => setTimeout(resolve, 20));
  };
  await active();
  return {
    get program() {
      return running.program;
    },
    ...{ nats, metric },
    async restart(signal) {
      running.program.kill(signal);
      await once(running.program, 'exit');
      running = await start();
      await active();
    },
    async stop() {
      await end(running.program);
      await nats.stop();
    },
  };
}
