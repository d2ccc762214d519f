import { describe, expect, it } from 'vitest';
import { FrameReader } from './docker-frames';

function frame(stream: number, text: string): Buffer {
  const header = Buffer.alloc(8);
  header[0] = stream;
  header.writeUInt32BE(Buffer.byteLength(text), 4);
  return Buffer.concat([header, Buffer.from(text)]);
}

describe('frames of the engine', () => {
  const whole = Buffer.concat([frame(1, 'out 1\n'), frame(2, 'err\n'), frame(1, ''), frame(1, 'out 2')]);

  it.each([1, 2, 3, 7, 8, 9, 100])('come out the same in chunks of %i bytes', (size) => {
    const got = { stdout: '', stderr: '' };
    const reader = new FrameReader((stream, chunk) => (got[stream] += chunk.toString()));
    for (let at = 0; at < whole.length; at += size) reader.push(whole.subarray(at, at + size));
    expect(got).toEqual({ stdout: 'out 1\nout 2', stderr: 'err\n' });
  });
});
