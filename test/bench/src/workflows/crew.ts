import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import type { CrewInput, CrewMessage, CrewOrder, Shift, ShiftResult } from './crew.child';

/** The process of the simulated workers, seen from outside. */
export class Crew {
  private readonly child: ChildProcess;
  private readonly failed: Promise<never>;

  private constructor() {
    this.child = fork(join(__dirname, 'crew.child.js'), { serialization: 'advanced' });
    this.failed = new Promise((_, reject) => {
      this.child.on('message', (message: CrewMessage) => {
        if (message.t === 'failed') reject(new Error(`the simulated workers: ${message.why}`));
      });
      this.child.once('exit', (code) => reject(new Error(`the simulated workers ended with ${code}`)));
    });
    this.failed.catch(() => undefined);
  }

  /** Connects the workers. */
  static async start(input: CrewInput): Promise<Crew> {
    const crew = new Crew();
    crew.order({ t: 'set-up', ...input });
    await crew.next('ready');
    return crew;
  }

  get pid(): number {
    return this.child.pid ?? 0;
  }

  /** Calls `begun` and `ended` at the ends of what is measured; resolves when every workflow has ended. */
  async work(shift: Shift, begun: () => Promise<void>, ended: () => Promise<void>): Promise<ShiftResult> {
    this.order({ t: 'shift', ...shift });
    await this.next('begun');
    await begun();
    const result = await this.next('ended');
    await ended();
    await this.next('rested');
    if (result.t !== 'ended') throw new Error('unreachable');
    return result;
  }

  async stop(): Promise<void> {
    if (this.child.exitCode !== null || this.child.signalCode !== null) return;
    const gone = once(this.child, 'exit');
    this.order({ t: 'stop' });
    const limit = setTimeout(() => this.child.kill('SIGKILL'), 10_000);
    await gone;
    clearTimeout(limit);
  }

  private order(order: CrewOrder): void {
    this.child.send(order);
  }

  private next(kind: CrewMessage['t']): Promise<CrewMessage> {
    const told = new Promise<CrewMessage>((resolve) => {
      const listener = (message: CrewMessage): void => {
        if (message.t !== kind) return;
        this.child.off('message', listener);
        resolve(message);
      };
      this.child.on('message', listener);
    });
    return Promise.race([told, this.failed]);
  }
}
