import { parseArgs } from 'node:util';

export interface ChaosOptions {
  readonly seconds: number;
  readonly seed: number;
  readonly workers: number;
  /** New workflows in a second, at most. */
  readonly rate: number;
  readonly keep: boolean;
  readonly help: boolean;
}

export class UsageError extends Error {}

export const usage = `npm run chaos -- [--seconds 600] [--seed N] [--workers 200] [--rate 8] [--keep]

Three nats-servers (R3) and two tink-servers, each in a network namespace of its own, while simulated workers run workflows and
everything goes wrong: kill -9, pauses, partitions, slow and full disks, clocks that are set, workers that crash or have a twin.
Afterwards a checker reads the log: nothing acknowledged is lost or doubled, no step is illegal, every workflow ended, all copies
and all read models agree. Needs root. The same seed makes the same faults.

  --seconds N   how long things go wrong (default 600)
  --seed N      default: a new one, printed
  --workers N   default 200
  --rate N      new workflows in a second, at most (default 8)
  --keep        leave the data of a run that passed; one that failed stays anyway`;

/** Throws UsageError. */
export function parseOptions(args: readonly string[], randomSeed: number): ChaosOptions {
  const whole = (name: string, text: string | undefined, fallback: number, minimum = 1): number => {
    if (text === undefined) return fallback;
    if (/^\d{1,9}$/.test(text) && Number(text) >= minimum) return Number(text);
    throw new UsageError(`--${name} must be a whole number from ${minimum}, got ${JSON.stringify(text)}`);
  };
  try {
    const { values } = parseArgs({
      args: [...args],
      options: {
        ...{ seconds: { type: 'string' }, seed: { type: 'string' }, workers: { type: 'string' } },
        ...{ rate: { type: 'string' }, keep: { type: 'boolean' }, help: { type: 'boolean', short: 'h' } },
      },
    });
    return {
      seconds: whole('seconds', values.seconds, 600),
      seed: whole('seed', values.seed, randomSeed, 0),
      workers: whole('workers', values.workers, 200),
      rate: whole('rate', values.rate, 8),
      keep: values.keep ?? false,
      help: values.help ?? false,
    };
  } catch (error) {
    if (error instanceof UsageError) throw error;
    throw new UsageError(error instanceof Error ? error.message : String(error));
  }
}
