/**
 * Takes apart what the engine sends for a container without a terminal: frames of a stream number, three zero bytes, a big-endian
 * length and that many bytes (Docker Engine API, "Attach to a container"). Frames may be cut anywhere.
 */
export class FrameReader {
  private header = Buffer.alloc(0);
  private left = 0;
  private stream: 'stdout' | 'stderr' = 'stdout';

  constructor(private readonly emit: (stream: 'stdout' | 'stderr', chunk: Buffer) => void) {}

  push(chunk: Buffer): void {
    let rest = chunk;
    while (rest.length > 0) {
      if (this.left > 0) {
        const part = rest.subarray(0, this.left);
        this.left -= part.length;
        rest = rest.subarray(part.length);
        this.emit(this.stream, part);
        continue;
      }
      const missing = headerBytes - this.header.length;
      this.header = Buffer.concat([this.header, rest.subarray(0, missing)]);
      rest = rest.subarray(missing);
      if (this.header.length < headerBytes) return;
      this.stream = this.header[0] === stderrNumber ? 'stderr' : 'stdout';
      this.left = this.header.readUInt32BE(4);
      this.header = Buffer.alloc(0);
    }
  }
}

const headerBytes = 8;
const stderrNumber = 2;
