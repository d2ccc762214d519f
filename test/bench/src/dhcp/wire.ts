import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
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

const names = { server: 'tbench-s', client: 'tbench-c', uplink: 'tbench0' };

export async function openWire(): Promise<Wire> {
  if (process.getuid?.() !== 0) throw new Error('this bench needs root: its servers live in network namespaces');
  const remove = async () => {
    for (const name of [names.server, names.client]) await ip('netns', 'del', name).catch(() => undefined);
  };
  await remove();
  const inServer = (...args: readonly string[]) => ip('-n', names.server, ...args);
  const inClient = (...args: readonly string[]) => ip('-n', names.client, ...args);
  await ip('netns', 'add', names.server);
  await ip('netns', 'add', names.client);
  await inServer('link', 'add', 'bs0', 'type', 'veth', 'peer', 'name', 'bc0', 'netns', names.client);
  await inServer('addr', 'add', '10.200.0.1/16', 'dev', 'bs0');
  await inClient('addr', 'add', '10.200.0.2/16', 'dev', 'bc0');
  await ip('link', 'add', names.uplink, 'type', 'veth', 'peer', 'name', 'up0', 'netns', names.server);
  await ip('addr', 'add', '169.254.217.1/30', 'dev', names.uplink);
  await inServer('addr', 'add', '169.254.217.2/30', 'dev', 'up0');
  for (const link of ['lo', 'bs0', 'up0']) await inServer('link', 'set', link, 'up');
  for (const link of ['lo', 'bc0']) await inClient('link', 'set', link, 'up');
  await ip('link', 'set', names.uplink, 'up');
  return {
    ...{ interface: 'bs0', address: '10.200.0.1', relay: '10.200.0.2', host: '169.254.217.1' },
    server: (command, env = {}) => inNamespace(names.server, command, env),
    client: (command) => inNamespace(names.client, command, {}),
    close: remove,
  };
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
