import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { openSync, readFileSync } from 'node:fs';
import { mkdir, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { ensureNatsIdentity, ensurePki } from '@tinkerbell/identity';
import { connectNats } from '@tinkerbell/messaging';
import { ensureStreams, freePort, type NatsServer, startNatsServer, type TestNats } from '@tinkerbell/nats';
import { writeStories } from '../sample-log';
import { Crew } from './crew';
import { storedSite } from './stored-site';

/** A nats-server that syncs every message, a tink-server as it is shipped and 500 workers: each a process of its own. */
export interface Site {
  readonly stored: number;
  readonly engine: TestNats['engine'];
  readonly crew: Crew;
  /** Seconds of CPU that each process has used since its start. */
  cpu(): { readonly nats: number; readonly tink: number; readonly crew: number };
  stop(): Promise<void>;
}

/** `stored`: how many workflows there were before. */
export async function openSite(stored: number, progress: (text: string) => void): Promise<Site> {
  const ends: (() => Promise<unknown>)[] = [];
  const stop = async () => {
    for (const end of ends.splice(0).reverse()) await end();
  };
  try {
    const dir = await mkdtemp(join(tmpdir(), 'tink-workflows-'));
    ends.push(() => rm(dir, { recursive: true, force: true }));
    const nats = await startNats(dir, stored, progress);
    ends.push(() => nats.server.stop());
    const tink = await startTink(dir, nats.server.url);
    ends.push(() => tink.stop());
    await tink.settled((text) => progress(`${stored} workflows: ${text}`));
    const crew = await Crew.start({ port: tink.port, engine: nats.engine });
    ends.push(() => crew.stop());
    const pids = { nats: nats.server.pid ?? 0, tink: tink.pid, crew: crew.pid };
    const cpu = () => ({ nats: cpuSeconds(pids.nats), tink: cpuSeconds(pids.tink), crew: cpuSeconds(pids.crew) });
    progress(`${stored} workflows: ready`);
    return { stored, engine: nats.engine, crew, cpu, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** The log is filled without a sync for each message, and then served with one. */
async function startNats(dir: string, stored: number, progress: (text: string) => void) {
  const pki = await ensurePki(join(dir, 'pki'), { ips: ['127.0.0.1'], names: ['localhost'] });
  const identity = await ensureNatsIdentity(join(dir, 'identity'));
  const common = { dataDir: join(dir, 'nats'), host: '127.0.0.1', port: 0, tls: pki.files, identity };
  const engineOf = ({ url: servers }: NatsServer) => ({ servers, ca: pki.ca, creds: identity.engineCreds });
  const filling = await startNatsServer({ ...common, syncInterval: '2m' });
  try {
    await fill(engineOf(filling), stored, progress);
  } finally {
    await filling.stop();
  }
  const server = await startNatsServer(common);
  return { server, engine: engineOf(server) };
}

async function fill(engine: TestNats['engine'], stored: number, progress: (text: string) => void): Promise<void> {
  const connection = await connectNats({ ...engine, name: 'fill' });
  await ensureStreams(connection);
  const last = await writeStories(engine, storedSite(stored), progress);
  // Public events of what is stored have run out long ago, all but the last.
  const js = connection.jetstream();
  if (last > 0) await js.publish('tink.pub.default.workflow.stored.v1.last', '{}', { msgID: `${last}-0` });
  await connection.close();
}

async function startTink(dir: string, natsUrl: string) {
  const port = await freePort();
  const [dataDir, log] = [join(dir, 'tink'), join(dir, 'tink-server.log')];
  await mkdir(dataDir);
  const out = openSync(log, 'a');
  const pki = join(dir, 'pki');
  const env = {
    ...{ PATH: process.env['PATH'] ?? '', NATS_URL: natsUrl, TINK_WORKER_NATS_URL: natsUrl },
    ...{ TINK_DATA_DIR: dataDir, TINK_IDENTITY_DIR: join(dir, 'identity'), TINK_HOST: '127.0.0.1' },
    ...{ TINK_CA_FILE: join(pki, 'ca.crt'), TINK_CERT_FILE: join(pki, 'server.crt') },
    ...{ TINK_KEY_FILE: join(pki, 'server.key'), TINK_GRPC_PORT: '0' },
    ...{ TINK_HTTP_PORT: String(port), TINK_HTTPS_PORT: '0' },
  };
  const options = (process.env['BENCH_NODE_OPTIONS'] ?? '').split(' ').filter(Boolean);
  const program = [process.execPath, ...options, resolve('dist/apps/tink-server/main.js')];
  // It ends with us, whatever ends us.
  const child = spawn('setpriv', ['--pdeathsig', 'KILL', ...program], { env, stdio: ['ignore', out, out] });
  const failed = once(child, 'exit').then(async ([code]) => {
    const text = await readFile(log, 'utf8').catch(() => '');
    throw new Error(`tink-server ended with ${code}: ${text.slice(-2000)}`);
  });
  failed.catch(() => undefined);
  const settled = (say: (text: string) => void) => Promise.race([untilSettled(port, say), failed]);
  return { port, pid: child.pid ?? 0, settled, stop: () => end(child) };
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const gone = once(child, 'exit');
  child.kill('SIGTERM');
  const limit = setTimeout(() => child.kill('SIGKILL'), 30_000);
  await gone;
  clearTimeout(limit);
}

/** What follows the log has read what is stored: rows, signatures, public events. */
async function untilSettled(port: number, say: (text: string) => void): Promise<void> {
  for (let tries = 1; ; tries++) {
    const text = await fetch(`http://127.0.0.1:${port}/metrics`).then(
      (answer) => answer.text(),
      () => '',
    );
    const value = (name: string) => Number(new RegExp(`^${name} (\\d+)$`, 'm').exec(text)?.[1] ?? -1);
    const applied = value('tink_log_applied_position');
    // A checkpoint of the log is due every thousand commits.
    const behind = ['tink_audit_covered_position', 'tink_published_position'].filter(
      (name) => value(name) < applied - 2_000,
    );
    if (applied >= 0 && behind.length === 0) return;
    if (tries % 60 === 0) {
      const positions = text.match(/^tink_.*_position .*$/gm) ?? ['it does not answer yet'];
      say(`waiting for ${applied < 0 ? 'its rows' : behind.join(', ')}: ${positions.join(', ')}`);
    }
    await new Promise((go) => setTimeout(go, 500));
  }
}

/** Of the process and its threads, from /proc: 100 ticks a second. */
function cpuSeconds(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8')
    .replace(/^.*\) /, '')
    .split(' ');
  return (Number(fields[11]) + Number(fields[12])) / 100;
}
