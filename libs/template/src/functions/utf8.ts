/** UTF-8, in which Go counts. */
export function bytesOf(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}

/** What is no UTF-8 becomes U+FFFD. */
export function textOfBytes(bytes: Uint8Array): string {
  return new TextDecoder('utf-8', { ignoreBOM: true }).decode(bytes);
}

/** The bytes from `from` up to `to`. */
export function cut(text: string, from: number, to: number): string {
  return textOfBytes(bytesOf(text).subarray(from, to));
}
