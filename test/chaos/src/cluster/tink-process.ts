import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, openSync, writeFileSync } from 'node:fs';
import { resolve } from 'node:path';
import type { Place } from './places';

/** One tink-server in a namespace of its own: the program as it is shipped, ended and started as often as wanted. */
export class TinkProcess {
  private child: ChildProcess | undefined;
  private wanted = false;

  constructor(
    readonly place: Place,
    private readonly env: Readonly<Record<string, string>>,
    private readonly files: { readonly log: string; readonly clock: string },
  ) {
    this.setClock(0);
  }

  get url(): string {
    return `http://${this.place.host}:42114`;
  }

  /** Whoever runs it in earnest starts it again when it ends by itself, and so do we. */
  start(): void {
    this.wanted = true;
    if (this.child && this.child.exitCode === null && this.child.signalCode === null) return;
    const { log, clock } = this.files;
    const out = openSync(log, 'a');
    const program = [process.execPath, '--enable-source-maps', resolve('dist/apps/tink-server/main.js')];
    const child = spawn(
      'nsenter',
      [`--net=/run/netns/${this.place.namespace}`, '--', 'setpriv', '--pdeathsig', 'KILL', ...program],
      {
        stdio: ['ignore', out, out],
        env: { PATH: process.env['PATH'] ?? '', ...this.env, ...settableClock(clock) },
      },
    );
    this.child = child;
    child.once('exit', () => setTimeout(() => this.wanted && this.child === child && this.start(), 500));
  }

  signal(name: NodeJS.Signals): void {
    this.child?.kill(name);
  }

  /** Ends it and waits until it is gone. */
  async end(name: 'SIGKILL' | 'SIGTERM'): Promise<void> {
    this.wanted = false;
    const { child } = this;
    if (!child || child.exitCode !== null || child.signalCode !== null) return;
    const gone = once(child, 'exit');
    child.kill('SIGCONT');
    child.kill(name);
    const limit = setTimeout(() => child.kill('SIGKILL'), 30_000);
    await gone;
    clearTimeout(limit);
  }

  /** Off by so much; it sees that within two seconds, and still after it was killed and started again. */
  setClock(seconds: number): void {
    writeFileSync(this.files.clock, `${seconds < 0 ? '' : '+'}${seconds}`);
  }
}

/** libfaketime: whatever in the process asks the C library for the time of day is told another one; what only measures time is not. */
function settableClock(file: string): Readonly<Record<string, string>> {
  return {
    LD_PRELOAD: faketime(),
    FAKETIME_TIMESTAMP_FILE: file,
    ...{ FAKETIME_CACHE_DURATION: '1', FAKETIME_DONT_FAKE_MONOTONIC: '1', NO_FAKE_STAT: '1' },
  };
}

function faketime(): string {
  const path = '/usr/lib/x86_64-linux-gnu/faketime/libfaketimeMT.so.1';
  if (!existsSync(path)) throw new Error(`${path} is missing: install libfaketime`);
  return path;
}
