import { once } from 'node:events';
import { createConnection } from 'node:net';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { Lab } from '../../pxe-vm/lab';
import { start, stop } from '../../pxe-vm/run';

export interface Engine {
  readonly socket: string;
  close(): Promise<void>;
}

/** A container engine of its own inside the lab's network: containers with host networking live on the lab's bridge. */
export async function startEngine(lab: Lab, dir: string): Promise<Engine> {
  const root = join(dir, 'engine');
  await mkdir(root, { recursive: true });
  const socket = join(root, 'docker.sock');
  const [enter = '', ...enterArgs] = lab.enter;
  const child = start(enter, [
    ...enterArgs,
    'dockerd',
    ...['--host', `unix://${socket}`, '--data-root', join(root, 'data'), '--exec-root', join(root, 'exec')],
    ...['--pidfile', join(root, 'pid'), '--bridge=none', '--iptables=false', '--ip6tables=false', '--log-level=warn'],
  ]);
  let said = '';
  child.stderr?.on('data', (chunk: Buffer) => (said = (said + chunk.toString()).slice(-4000)));
  for (let tries = 0; !(await answers(socket)); tries++) {
    if (child.exitCode !== null || tries > 300) {
      await stop(child);
      throw new Error(`dockerd did not start: ${said.trim() || 'no answer within 30 s'}`);
    }
    await delay(100);
  }
  return { socket, close: () => stop(child, 20_000) };
}

async function answers(socket: string): Promise<boolean> {
  const connection = createConnection(socket);
  try {
    await once(connection, 'connect');
    return true;
  } catch {
    return false;
  } finally {
    connection.destroy();
  }
}
