import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { openSync } from 'node:fs';
import { resolve } from 'node:path';
import { setClock, settableClock } from './clock';
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

  /** Off by so much, also after it was killed and started again. */
  setClock(seconds: number): void {
    setClock(this.files.clock, seconds);
  }
}
