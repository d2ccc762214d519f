/** What stands in the place of a secret. */
export const maskText = '***';

/** Shorter ones stay: they would be found by chance everywhere. */
const minCharacters = 4;

const stars = Buffer.from(maskText);

/**
 * Hides the values of secrets in what a worker passes on. Of a value with several lines each line counts by itself, without the space
 * around it. Encodings of a value (base64, JSON escapes) are not recognised.
 */
export class SecretMask {
  /** UTF-8, longest first; none holds a line end. */
  private readonly patterns: readonly Buffer[];

  constructor(values: readonly string[]) {
    const lines = values.flatMap((value) => value.split(/[\r\n]+/)).map((line) => line.trim());
    const long = new Set(lines.filter((line) => [...line].length >= minCharacters));
    this.patterns = [...long].map((line) => Buffer.from(line)).sort((a, b) => b.length - a.length);
  }

  text(text: string): string {
    if (!this.finds(text)) return text;
    const stream = this.stream();
    return Buffer.concat([stream.push(Buffer.from(text)), stream.end()]).toString();
  }

  finds(text: string): boolean {
    return this.patterns.length > 0 && this.patterns.some((pattern) => Buffer.from(text).includes(pattern));
  }

  /** For bytes that come in pieces, cut anywhere. */
  stream(): MaskedStream {
    return new MaskedStream(this.patterns);
  }
}

/** Holds back no more than what could still become a secret: less than the longest one. */
export class MaskedStream {
  private rest: Buffer = Buffer.alloc(0);
  /** So many bytes of the rest belong to a secret that was found already, and for which the stars have been written. */
  private covered = 0;

  constructor(private readonly patterns: readonly Buffer[]) {}

  push(chunk: Buffer): Buffer {
    if (this.patterns.length === 0) return chunk;
    const data = this.rest.length > 0 ? Buffer.concat([this.rest, chunk]) : chunk;
    return this.upTo(data, this.firstOpen(data));
  }

  /** What was held back. */
  end(): Buffer {
    return this.upTo(this.rest, this.rest.length);
  }

  /** Where the first beginning of a secret starts that the data is too short to decide. */
  private firstOpen(data: Buffer): number {
    const longest = this.patterns[0]?.length ?? 0;
    for (let at = Math.max(0, data.length - longest + 1); at < data.length; at++) {
      const tail = data.subarray(at);
      if (this.patterns.some((pattern) => pattern.length > tail.length && startsWith(pattern, tail))) return at;
    }
    return data.length;
  }

  private upTo(data: Buffer, end: number): Buffer {
    const out: Buffer[] = [];
    let at = Math.min(this.covered, end);
    let coveredTo = this.covered;
    for (const { from, to } of matches(data, this.patterns)) {
      if (from >= end) break;
      if (from >= coveredTo) {
        out.push(data.subarray(at, from), stars);
        coveredTo = to;
      } else coveredTo = Math.max(coveredTo, to);
      at = Math.min(coveredTo, end);
    }
    out.push(data.subarray(at, end));
    this.covered = Math.max(0, coveredTo - end);
    // A copy: the remainder must not keep a whole network buffer alive.
    this.rest = Buffer.from(data.subarray(end));
    return Buffer.concat(out);
  }
}

/** Every place of every pattern, by where it begins. */
function matches(data: Buffer, patterns: readonly Buffer[]): readonly { readonly from: number; readonly to: number }[] {
  const found: { from: number; to: number }[] = [];
  for (const pattern of patterns) {
    for (let from = data.indexOf(pattern); from >= 0; from = data.indexOf(pattern, from + 1)) {
      found.push({ from, to: from + pattern.length });
    }
  }
  return found.sort((a, b) => a.from - b.from);
}

function startsWith(whole: Buffer, head: Buffer): boolean {
  return whole.subarray(0, head.length).equals(head);
}
