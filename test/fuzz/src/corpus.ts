import { appendFileSync, existsSync, readFileSync } from 'node:fs';

/** One input a line, hex; the files are in test/fuzz/corpus. */
export function readCorpus(file: string): readonly Uint8Array[] {
  if (!existsSync(file)) return [];
  const lines = readFileSync(file, 'utf8').split('\n');
  return lines.filter((line) => line !== '').map((line) => new Uint8Array(Buffer.from(line, 'hex')));
}

export function addToCorpus(file: string, inputs: readonly Uint8Array[]): void {
  appendFileSync(file, inputs.map((bytes) => `${Buffer.from(bytes).toString('hex')}\n`).join(''));
}
