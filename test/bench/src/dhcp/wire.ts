import { type ChildProcess, execFile, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { rmSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

const execute = promisify(execFile);

/** Servers and clients in a namespace of their own each, on one wire. */
export interface Wire {
  /** The server's interface and address, and the relay's that perfdhcp stands for. */
  readonly interface: string;
  readonly address: string;
  readonly relay: string;
  /** Where the namespaces reach this process. */
  readonly host: string;
  server(command: readonly string[], env?: NodeJS.ProcessEnv): ChildProcess;
  client(command: readonly string[]): ChildProcess;
  close(): Promise<void>;
}

/** `name`: of its namespaces and interface. `host`: the /30 between the server's namespace and this process. */
export interface WirePlace {
  readonly name: string;
  readonly host: `${number}.${number}.${number}`;
}

const usual: WirePlace = { name: 'tbench', host: '169.254.217' };

/** Throws when another bench runs; what is left of one that was killed is removed first. */
export async function openWire({ name, host }: WirePlace = usual): Promise<Wire> {
  if (process.getuid?.() !== 0) throw new Error('this bench needs root: its servers live in network namespaces');
  const [server, client, uplink] = [`${name}-s`, `${name}-c`, `${name}0`];
  const holder = join(tmpdir(), `tink-${name}.pid`);
  const owner = await ownerIn(holder);
  if (owner !== undefined) throw new Error(`another bench runs on ${uplink}: process ${owner}`);
  const leave = () => {
    clear([server, client], uplink);
    rmSync(holder, { force: true });
  };
  leave();
  await writeFile(holder, String(process.pid));
  const end = (signal: NodeJS.Signals) => process.exit(signal === 'SIGINT' ? 130 : 143);
  process.once('exit', leave).once('SIGINT', end).once('SIGTERM', end);
  const close = async () => {
    process.off('exit', leave).off('SIGINT', end).off('SIGTERM', end);
    leave();
  };
  try {
    await connect({ server, client, uplink, host });
  } catch (error) {
    await close();
    throw error;
  }
  return {
    ...{ interface: 'bs0', address: '10.200.0.1', relay: '10.200.0.2', host: `${host}.1` },
    server: (command, env = {}) => inNamespace(server, command, env),
    client: (command) => inNamespace(client, command, {}),
    close,
  };
}

async function connect({
  server,
  client,
  uplink,
  host,
}: Record<'server' | 'client' | 'uplink' | 'host', string>): Promise<void> {
  const inServer = (...args: readonly string[]) => ip('-n', server, ...args);
  const inClient = (...args: readonly string[]) => ip('-n', client, ...args);
  await ip('netns', 'add', server);
  await ip('netns', 'add', client);
  await inServer('link', 'add', 'bs0', 'type', 'veth', 'peer', 'name', 'bc0', 'netns', client);
  await inServer('addr', 'add', '10.200.0.1/16', 'dev', 'bs0');
  await inClient('addr', 'add', '10.200.0.2/16', 'dev', 'bc0');
  await ip('link', 'add', uplink, 'type', 'veth', 'peer', 'name', 'up0', 'netns', server);
  await ip('addr', 'add', `${host}.1/30`, 'dev', uplink);
  await inServer('addr', 'add', `${host}.2/30`, 'dev', 'up0');
  for (const link of ['lo', 'bs0', 'up0']) await inServer('link', 'set', link, 'up');
  for (const link of ['lo', 'bc0']) await inClient('link', 'set', link, 'up');
  await ip('link', 'set', uplink, 'up');
}

/** The process that has the wire now; undefined: nobody, or one that is gone. */
async function ownerIn(holder: string): Promise<number | undefined> {
  const pid = Number(await readFile(holder, 'utf8').catch(() => ''));
  if (!Number.isInteger(pid) || pid <= 0 || pid === process.pid) return undefined;
  try {
    process.kill(pid, 0);
    return pid;
  } catch {
    return undefined;
  }
}

/** At once, as it is done at the end of the process too. A namespace stays as long as a program lives in it. */
function clear(namespaces: readonly string[], uplink: string): void {
  for (const name of namespaces) {
    const pids = quietly('ip', 'netns', 'pids', name).split(/\s+/).filter(Boolean);
    if (pids.length > 0) quietly('kill', '-9', ...pids);
    quietly('ip', 'netns', 'del', name);
  }
  quietly('ip', 'link', 'del', uplink);
}

/** What it says; '' when it fails, as it does where there is nothing to be removed. */
function quietly(program: string, ...args: readonly string[]): string {
  try {
    return execFileSync(program, [...args], { stdio: ['ignore', 'pipe', 'ignore'] }).toString();
  } catch {
    return '';
  }
}

function inNamespace(name: string, command: readonly string[], env: NodeJS.ProcessEnv): ChildProcess {
  return spawn('nsenter', [`--net=/run/netns/${name}`, '--', ...command], {
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
}

/** Its standard output, when it has ended. */
export async function outputOf(child: ChildProcess): Promise<string> {
  const parts: Buffer[] = [];
  child.stdout?.on('data', (part: Buffer) => parts.push(part));
  child.stderr?.on('data', (part: Buffer) => parts.push(part));
  await once(child, 'close');
  return Buffer.concat(parts).toString();
}

export async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  child.kill('SIGTERM');
  await once(child, 'exit');
}

async function ip(...args: readonly string[]): Promise<void> {
  await execute('ip', [...args]);
}
