import { ConfigError, loadConfig } from '@tinkerbell/config';
import { readInvocation, usage, UsageError } from './flags';
import { workerVersion } from './machine';
import { startTinkWorker } from './start';
import { TinkWorkerConfig } from './worker.config';

async function main(): Promise<number> {
  const { show, settings } = readInvocation(process.argv.slice(2), process.env);
  if (show) {
    process.stdout.write(show === 'help' ? usage : `tink-worker ${workerVersion}\n`);
    return 0;
  }
  const worker = await startTinkWorker(loadConfig(TinkWorkerConfig, settings));
  for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, () => void worker.close());
  await worker.done;
  return 0;
}

main().then(
  (code) => process.exit(code),
  (error: unknown) => {
    const forPeople = error instanceof ConfigError || error instanceof UsageError;
    const text =
      error instanceof Error && !forPeople ? (error.stack ?? error.message) : String((error as Error).message);
    process.stderr.write(`tink-worker: ${text}\n`);
    process.exit(error instanceof UsageError ? 2 : 1);
  },
);
