/** A longer line is passed on in pieces of this many bytes at most. */
export const maxLineBytes = 16 * 1024;

const newline = 0x0a;
const carriageReturn = 0x0d;

/**
 * Bytes in, lines out. `\n` and `\r\n` end a line; so does a lone `\r`, which is how progress bars redraw theirs (empty ones are
 * dropped). Bytes that are not UTF-8 become U+FFFD.
 */
export class LineSplitter {
  private rest: Buffer = Buffer.alloc(0);
  private afterReturn = false;

  constructor(private readonly emit: (line: string) => void) {}

  push(chunk: Buffer): void {
    const data = this.rest.length > 0 ? Buffer.concat([this.rest, chunk]) : chunk;
    let start = 0;
    for (let at = this.rest.length; at < data.length; at++) {
      const byte = data[at];
      if (byte === newline || byte === carriageReturn) {
        const secondOfPair = byte === newline && this.afterReturn;
        if (!secondOfPair && (byte === newline || at > start)) this.emit(text(data, start, at));
        start = at + 1;
      } else if (at - start >= maxLineBytes) {
        const end = characterBoundary(data, start, at);
        this.emit(text(data, start, end));
        start = end;
      }
      this.afterReturn = byte === carriageReturn;
    }
    // A copy: the remainder must not keep a whole network buffer alive.
    this.rest = Buffer.from(data.subarray(start));
  }

  /** What is left without a line end. */
  end(): void {
    if (this.rest.length > 0) this.emit(text(this.rest, 0, this.rest.length));
    this.rest = Buffer.alloc(0);
  }
}

function text(data: Buffer, start: number, end: number): string {
  return data.toString('utf8', start, end);
}

/** The last position ≤ end that does not cut a UTF-8 character (RFC 3629: continuation bytes are 10xxxxxx, 3 at most). */
function characterBoundary(data: Buffer, start: number, end: number): number {
  for (let at = end; at > end - 4 && at > start; at--) {
    if (((data[at] ?? 0) & 0xc0) !== 0x80) return at;
  }
  return end;
}
