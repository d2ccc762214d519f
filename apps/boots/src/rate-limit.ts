/** Machines are few; whoever comes beyond that begins with a full bucket again. */
const mostKnown = 100_000;

/** A token bucket for each key. */
export class RateLimit {
  private readonly buckets = new Map<string, { tokens: number; at: number }>();

  /** `now`: milliseconds. */
  constructor(
    private readonly now: () => number,
    private readonly limit: { readonly burst: number; readonly perSecond: number },
  ) {}

  allows(key: string): boolean {
    const { burst, perSecond } = this.limit;
    const now = this.now();
    const { tokens, at } = this.buckets.get(key) ?? { tokens: burst, at: now };
    const left = Math.min(burst, tokens + (Math.max(0, now - at) / 1000) * perSecond);
    if (this.buckets.size >= mostKnown && !this.buckets.has(key)) this.buckets.clear();
    this.buckets.set(key, { tokens: left >= 1 ? left - 1 : left, at: now });
    return left >= 1;
  }
}
