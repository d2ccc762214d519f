import { basename, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { addToCorpus, readCorpus } from './corpus';
import { Coverage } from './coverage';
import { fuzz, FuzzFailure } from './fuzz';
import { heldBytes } from './memory';
import type { Target } from './target';
import { targets } from './targets';

const usage = `npm run fuzz -- <codec> [--count 10000000] [--seed 1] [--no-coverage] [--keep]

  --count        inputs to try
  --seed         the same seed tries the same inputs
  --no-coverage  do not look for inputs that reach new code: faster
  --keep         add what was found to test/fuzz/corpus

${targets.map(({ name, about }) => `  ${name.padEnd(10)} ${about}`).join('\n')}`;

function options(args: readonly string[]) {
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: {
      count: { type: 'string', default: '10000000' },
      seed: { type: 'string', default: '1' },
      'no-coverage': { type: 'boolean', default: false },
      keep: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  });
  const [count, seed] = [Number(values.count), Number(values.seed)];
  if (!Number.isSafeInteger(count) || count < 1)
    throw new TypeError(`--count ${values.count}: a whole number, 1 or more`);
  if (!Number.isSafeInteger(seed) || seed < 0) throw new TypeError(`--seed ${values.seed}: a whole number`);
  const target = targets.find(({ name }) => name === positionals[0]);
  return { ...values, count, seed, target };
}

function main(args: readonly string[]): number {
  const { target, help, ...rest } = options(args);
  if (!target || help) {
    console.error(usage);
    return help ? 0 : 2;
  }
  return run(target, rest);
}

interface Wanted {
  readonly count: number;
  readonly seed: number;
  readonly 'no-coverage': boolean;
  readonly keep: boolean;
}

/** Millions of packets are refused; where in the code one was is of no interest. */
const stackFrames = 3;

function run(target: Target, { count, seed, 'no-coverage': isBlind, keep }: Wanted): number {
  Error.stackTraceLimit = stackFrames;
  const file = resolve('test/fuzz/corpus', `${target.name}.txt`);
  const corpus = readCorpus(file);
  const coverage = isBlind ? undefined : new Coverage(basename(__filename));
  const start = performance.now();
  const seconds = () => (performance.now() - start) / 1000;
  let shown = 0;
  const onProgress = (done: number) => {
    if (seconds() - shown < 10) return;
    shown = seconds();
    const heap = (process.memoryUsage().heapUsed / 2 ** 20).toFixed(0);
    console.log(`${done} inputs, ${(done / seconds()).toFixed(0)}/s, heap ${heap} MiB`);
  };
  console.log(`${target.about}: seed ${seed}, ${corpus.length} inputs in the corpus`);
  try {
    const result = fuzz(target, {
      ...{ count, seed, corpus, everyLength: true, onProgress, memory: heldBytes },
      ...(coverage ? { coverage: () => coverage.parts() } : {}),
    });
    const { inputs, taken, refused, found, slowest } = result;
    console.log(`${inputs} inputs in ${seconds().toFixed(1)} s: ${taken} taken, ${refused} refused as malformed`);
    const again = timed(() => target.check(slowest.input));
    const length = `${slowest.input.length} bytes`;
    console.log(
      `slowest: ${slowest.milliseconds.toFixed(1)} ms for ${length}, ${again.toFixed(2)} ms when tried once more`,
    );
    console.log(`${found.length} reached new code${keep ? ', added to the corpus' : ''}`);
    if (keep) addToCorpus(file, found);
    return 0;
  } catch (error) {
    if (!(error instanceof FuzzFailure)) throw error;
    console.error(error.message);
    if (error.input) console.error(`input: ${Buffer.from(error.input).toString('hex')}`);
    if (keep && error.input) addToCorpus(file, [error.input]);
    return 1;
  } finally {
    coverage?.close();
  }
}

function timed(act: () => void): number {
  const start = performance.now();
  act();
  return performance.now() - start;
}

try {
  process.exitCode = main(process.argv.slice(2));
} catch (error) {
  if (!(error instanceof TypeError)) throw error;
  console.error(`${error.message}\n\n${usage}`);
  process.exitCode = 2;
}
