import { randomInt } from 'node:crypto';
import { appendFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { namespacesMissing } from '../../interop/net/namespace';
import { Cleanup } from '../../demo/src/cleanup';
import { clockMissing } from './cluster/clock';
import { disksMissing } from './cluster/disk';
import { type ChaosOptions, parseOptions, usage, UsageError } from './options';
import { runChaos } from './run';

async function main(args: readonly string[]): Promise<number> {
  const options = parseOptions(args, randomInt(1_000_000));
  if (options.help) {
    console.log(usage);
    return 0;
  }
  const missing = namespacesMissing();
  if (missing) throw new UsageError(`network namespaces cannot be had: ${missing}`);
  const without = disksMissing() ?? clockMissing();
  if (without) throw new UsageError(`a slow disk or a wrong clock cannot be had: ${without}`);
  const dir = await mkdtemp(join(tmpdir(), 'tink-chaos-'));
  const cleanup = new Cleanup();
  const undo = () => cleanup.run((text) => console.error(text));
  const interrupted = (code: number) => () => void undo().then(() => process.exit(code));
  process.once('SIGINT', interrupted(130));
  process.once('SIGTERM', interrupted(143));
  const passed = await attempt(options, dir, cleanup).finally(undo);
  if (passed && !options.keep) await rm(dir, { recursive: true, force: true });
  return passed ? 0 : 1;
}

async function attempt(options: ChaosOptions, dir: string, cleanup: Cleanup): Promise<boolean> {
  const { seconds, seed, workers, rate } = options;
  const again = `npm run chaos -- --seconds ${seconds} --seed ${seed} --workers ${workers} --rate ${rate}`;
  const started = performance.now();
  const say = (line: string) => {
    const text = `${((performance.now() - started) / 1000).toFixed(1).padStart(7)}s ${line}`;
    console.log(text);
    appendFileSync(join(dir, 'nemesis.log'), `${new Date().toISOString()} ${text}\n`);
  };
  console.log(`seed ${seed}; to repeat it: ${again}`);
  try {
    const { violations, facts } = await runChaos(options, dir, cleanup, say);
    for (const [name, value] of Object.entries(facts)) console.log(`${String(value).padStart(8)}  ${name}`);
    for (const { rule, what } of violations.slice(0, 50)) console.log(`VIOLATION ${rule}: ${what}`);
    if (violations.length === 0) {
      console.log(`\nno violation (seed ${seed})`);
      return true;
    }
    console.log(`\n${violations.length} violations. To repeat it: ${again}\nLogs and data: ${dir}`);
  } catch (error) {
    console.log(`\nthe run broke off: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`);
    console.log(`To repeat it: ${again}\nLogs and data: ${dir}`);
  }
  return false;
}

main(process.argv.slice(2)).then(
  (code) => process.exit(code),
  (error: unknown) => {
    console.error(error instanceof UsageError ? `${error.message}\n\n${usage}` : error);
    process.exit(error instanceof UsageError ? 2 : 1);
  },
);
