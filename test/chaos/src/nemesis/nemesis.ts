import { setMaxListeners } from 'node:events';
import type { Cluster } from '../cluster/cluster';
import { pause } from '@tinkerbell/messaging';
import type { Random } from '../random';
import { makers, type Fault } from './faults';

export interface PlannedFault extends Fault {
  /** Milliseconds after the start of the run. */
  readonly at: number;
}

/** What goes wrong in a run of this seed and length, and when: every kind once before one comes again, now and then two at a time. */
export function plan(random: Random, seconds: number): readonly PlannedFault[] {
  const planned: PlannedFault[] = [];
  let deck: readonly (typeof makers)[number][] = [];
  for (let at = 2_000; ;) {
    if (deck.length === 0) deck = random.shuffled(makers);
    const [next, ...rest] = deck;
    deck = rest;
    const fault = next?.(random);
    if (!fault || at + fault.ms > seconds * 1000) return planned;
    planned.push({ ...fault, at });
    at += random.chance(0.2) ? random.between(500, 1_500) : fault.ms + random.between(500, 4_000);
  }
}

/** Carries the plan out; resolves when the last fault is over. */
export async function torment(
  cluster: Cluster,
  planned: readonly PlannedFault[],
  end: AbortSignal,
  log: (line: string) => void,
): Promise<void> {
  setMaxListeners(0, end); // every fault listens
  const started = performance.now();
  const running = planned.map(async ({ at, what, ms, hit }) => {
    await pause(at - (performance.now() - started), end);
    if (end.aborted) return;
    log(`${what}, for ${(ms / 1000).toFixed(1)} s`);
    try {
      await hit(cluster, end);
    } catch (error) {
      // Two faults that meet: a server that is killed cannot be stopped.
      log(`${what}: ${error instanceof Error ? error.message : String(error)}`);
    }
  });
  await Promise.all(running);
}
