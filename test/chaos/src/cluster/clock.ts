import { existsSync, writeFileSync } from 'node:fs';

const library = '/usr/lib/x86_64-linux-gnu/faketime/libfaketimeMT.so.1';

/** Why no clock can be set; undefined: it can. */
export function clockMissing(): string | undefined {
  return existsSync(library) ? undefined : `needs libfaketime (${library})`;
}

/**
 * Environment of a process whose clock a file sets: whatever in it asks the C library for the time of day is told another one; what only
 * measures time is not.
 */
export function settableClock(file: string): Readonly<Record<string, string>> {
  const quietly = { FAKETIME_CACHE_DURATION: '1', FAKETIME_DONT_FAKE_MONOTONIC: '1', NO_FAKE_STAT: '1' };
  return { LD_PRELOAD: library, FAKETIME_TIMESTAMP_FILE: file, ...quietly };
}

/** Off by so much; seen within two seconds. */
export function setClock(file: string, seconds: number): void {
  writeFileSync(file, `${seconds < 0 ? '' : '+'}${seconds}`);
}
