import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { setTimeout as delay } from 'node:timers/promises';
import type { MessageType } from '@tinkerbell/dhcp';
import { bundle } from './bundle';
import { spawnIn } from './namespace';

/** What no decent client sends, and how often at most. */
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

/** What goes on until it is stopped. */
export interface Attack {
  /** How many have left so far. */
  sent(): number;
  /** Resolves when so many have left; rejects when it ended before. */
  reaches(count: number): Promise<void>;
  stop(): Promise<void>;
}

/** Begins to send as fast as a socket takes it, `count` at most. */
export async function startFlood(namespace: string, what: Flood): Promise<Attack> {
  const program = await bundle('test/interop/net/flood.main.ts');
  const child = spawnIn(namespace, [process.execPath, program.file, JSON.stringify(what)]);
  let [sent, fault, hasEnded] = [0, '', false];
  const waiting = new Set<() => void>();
  const look = () => [...waiting].forEach((again) => again());
  if (!child.stdout) throw new Error('no standard output');
  createInterface({ input: child.stdout }).on('line', (line) => {
    sent = Number(line);
    look();
  });
  child.stderr?.on('data', (bytes: Buffer) => (fault += bytes.toString()));
  const ended = once(child, 'close').then(() => {
    hasEnded = true;
    look();
  });
  return {
    sent: () => sent,
    reaches: (count) =>
      new Promise((resolve, reject) => {
        const again = () => {
          if (sent < count && !hasEnded) return;
          waiting.delete(again);
          if (sent >= count) resolve();
          else reject(new Error(`the flood ended after ${sent} of ${count}: ${fault}`));
        };
        waiting.add(again);
        again();
      }),
    async stop() {
      child.stdin?.end();
      await ended;
      await program.remove();
      if (fault !== '') throw new Error(fault);
    },
  };
}

/** An attack in waves, each of which tells how many messages it was. */
export function repeated(wave: () => Promise<number>): Attack {
  let [sent, isOver] = [0, false];
  const running = (async () => {
    while (!isOver) sent += await wave();
  })();
  running.catch(() => undefined);
  return {
    sent: () => sent,
    async reaches(count) {
      while (sent < count) await Promise.race([running, delay(10)]);
    },
    async stop() {
      isOver = true;
      await running;
    },
  };
}

export interface Overlap {
  /** How many had left when the others began, and when they were done. The attack went on after that. */
  readonly before: number;
  readonly after: number;
  /** All in all. */
  readonly sent: number;
}

/** MiB that a boots may grow by: that of one that warms up with its queues full, and 256 bytes a message, its log in memory included. */
export function mostMiB({ sent }: Overlap): number {
  return 160 + (sent * 256) / 2 ** 20;
}

/** Lets others act in the midst of an attack: it has begun before them, and goes on when they are done until `least` have left. */
export async function amid(attack: Attack, least: number, others: () => Promise<unknown>): Promise<Overlap> {
  const apart = Math.ceil(least / 10);
  try {
    await attack.reaches(apart);
    const before = attack.sent();
    await others();
    const after = attack.sent();
    await attack.reaches(Math.max(least, after + apart));
    return { before, after, sent: attack.sent() };
  } finally {
    await attack.stop();
  }
}
