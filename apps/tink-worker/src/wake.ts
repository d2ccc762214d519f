/** Lets the loops sleep until something may have changed. A wake-up that comes while nobody sleeps is not forgotten. */
export class Wake {
  private count = 0;
  private readonly sleepers = new Set<() => void>();

  ring(): void {
    this.count += 1;
    [...this.sleepers].forEach((stir) => stir());
  }

  /** Take one before looking at the world, give it to `sleep` after. */
  get seen(): number {
    return this.count;
  }

  /** Until a wake-up later than `seen`, `ms` have passed or the signal is aborted. */
  sleep(seen: number, ms: number, signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      if (this.count > seen || signal.aborted) return resolve();
      const stir = () => {
        clearTimeout(timer);
        this.sleepers.delete(stir);
        signal.removeEventListener('abort', stir);
        resolve();
      };
      const timer = setTimeout(stir, ms);
      this.sleepers.add(stir);
      signal.addEventListener('abort', stir, { once: true });
    });
  }
}
