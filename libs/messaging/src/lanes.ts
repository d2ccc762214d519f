/**
 * Runs tasks of one lane one after the other, in the order in which they were given, and those of different lanes side by side, at most
 * `width` at a time.
 */
export class Lanes {
  private readonly last = new Map<string, Promise<void>>();
  private running = 0;
  private wakeUp: (() => void) | undefined;

  constructor(private readonly width: number) {}

  /** Resolves when the task has its place, not when it is done. A task must not throw. */
  async add(lane: string, task: () => Promise<void>): Promise<void> {
    while (this.running >= this.width) await new Promise<void>((resolve) => (this.wakeUp = resolve));
    this.running++;
    const before = this.last.get(lane) ?? Promise.resolve();
    const done = before.then(task).finally(() => {
      this.running--;
      if (this.last.get(lane) === done) this.last.delete(lane);
      this.wakeUp?.();
    });
    this.last.set(lane, done);
  }

  /** Resolves when all that was added is done. */
  async idle(): Promise<void> {
    await Promise.all(this.last.values());
  }
}
