const newline = 0x0a;

/** The lines of a stream of bytes, without their ends and without empty ones. The last one may lack its end. */
export async function* linesOf(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<string> {
  let parts: Uint8Array[] = [];
  for await (const chunk of chunks) {
    let start = 0;
    for (let end = chunk.indexOf(newline); end >= 0; end = chunk.indexOf(newline, start)) {
      parts.push(chunk.subarray(start, end));
      const line = textOf(parts);
      if (line !== '') yield line;
      parts = [];
      start = end + 1;
    }
    if (start < chunk.length) parts.push(chunk.subarray(start));
  }
  const rest = textOf(parts);
  if (rest !== '') yield rest;
}

function textOf(parts: readonly Uint8Array[]): string {
  const [only] = parts;
  if (parts.length === 1 && only) return Buffer.from(only.buffer, only.byteOffset, only.length).toString();
  return Buffer.concat(parts).toString();
}
