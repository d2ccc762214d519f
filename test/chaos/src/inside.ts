import { readFileSync } from 'node:fs';
import { check, type CheckInput } from './check/check';
import { Load, type LoadInput } from './load/load';

/** What runs in the clients' namespace: `inside.js load|check <input.json>`, talking to its parent by IPC. */
async function main([mode, file = '']: readonly string[]): Promise<void> {
  const input: unknown = JSON.parse(readFileSync(file, 'utf8'));
  const say = (message: object) => process.send?.(message);
  if (mode === 'check') {
    say(await check(input as CheckInput));
    return;
  }
  const load = new Load(input as LoadInput);
  const stop = new AbortController();
  process.on('message', () => stop.abort());
  process.on('disconnect', () => process.exit(1)); // whoever started us is gone
  await load.setUp();
  say({ t: 'ready' });
  await load.run(stop.signal, say);
}

main(process.argv.slice(2)).then(
  () => process.exit(0),
  (error: unknown) => {
    process.stderr.write(`${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`);
    process.exit(1);
  },
);
