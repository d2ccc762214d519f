const cr = 13;
const lf = 10;

/** RFC 1350 §1 (RFC 764): a line ends with CR LF, a bare CR is CR NUL. */
export function toNetascii(content: Uint8Array): Uint8Array {
  const extra = content.reduce((sum, byte) => sum + (byte === lf || byte === cr ? 1 : 0), 0);
  const out = new Uint8Array(content.length + extra);
  let at = 0;
  for (const byte of content) {
    if (byte === lf) out[at++] = cr;
    out[at++] = byte;
    if (byte === cr) out[at++] = 0;
  }
  return out;
}
