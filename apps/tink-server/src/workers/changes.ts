/** Lets those wait who want to know of the next change of something. */
export class Changes {
  private readonly waiting = new Map<string, Set<() => void>>();

  tell(keys: readonly string[]): void {
    for (const key of keys) for (const go of this.waiting.get(key) ?? []) go();
  }

  /** From now on; resolves at the next change or after so many milliseconds. */
  next(key: string, milliseconds: number): Promise<void> {
    return new Promise((resolve) => {
      const others = this.waiting.get(key) ?? new Set();
      const go = (): void => {
        clearTimeout(timer);
        others.delete(go);
        if (others.size === 0) this.waiting.delete(key);
        resolve();
      };
      const timer = setTimeout(go, milliseconds);
      this.waiting.set(key, others.add(go));
    });
  }
}
