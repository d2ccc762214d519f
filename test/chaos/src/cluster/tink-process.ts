import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { openSync, writeFileSync } from 'node:fs';
import { resolve } from 'node:path';
import type { Place } from './places';

/** One tink-server in a namespace of its own: the program as it is shipped, ended and started as often as wanted. */
export class TinkProcess {
  private child: ChildProcess | undefined;
  private wanted = false;

  constructor(
    readonly place: Place,
    private readonly env: Readonly<Record<string, string>>,
    private readonly files: { readonly log: string; readonly clock: string; readonly preload: string },
  ) {}

  get url(): string {
    return `http://${this.place.host}:42114`;
  }

  /** Whoever runs it in earnest starts it again when it ends by itself, and so do we. */
  start(): void {
    this.wanted = true;
    if (this.child && this.child.exitCode === null && this.child.signalCode === null) return;
    const { log, clock, preload } = this.files;
    writeFileSync(clock, '0');
    const out = openSync(log, 'a');
    const program = [
      process.execPath,
      '--enable-source-maps',
      '--require',
      preload,
      resolve('dist/apps/tink-server/main.js'),
    ];
    const child = spawn(
      'nsenter',
      [`--net=/run/netns/${this.place.namespace}`, '--', 'setpriv', '--pdeathsig', 'KILL', ...program],
      {
        stdio: ['ignore', out, out],
        env: { PATH: process.env['PATH'] ?? '', ...this.env, CHAOS_CLOCK_FILE: clock },
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

  setClock(milliseconds: number): void {
    writeFileSync(this.files.clock, String(milliseconds));
    this.signal('SIGUSR2');
  }
}
