/** Byte = character code: what came in goes out unchanged, whatever its encoding was. Trailing NULs are no text (RFC 2132 §2). */
export function readText(raw: Uint8Array): string {
  return latin1(withoutPadding(raw));
}

export function withoutPadding(raw: Uint8Array): Uint8Array {
  let end = raw.length;
  while (end > 0 && raw[end - 1] === 0) end--;
  return raw.subarray(0, end);
}

export function latin1(raw: Uint8Array): string {
  let text = '';
  for (const byte of raw) text += String.fromCharCode(byte);
  return text;
}

/** What has no place in one byte becomes `?`. */
export function textBytes(text: string): Uint8Array {
  const bytes = new Uint8Array(text.length);
  for (let i = 0; i < text.length; i++) bytes[i] = text.charCodeAt(i) > 0xff ? 0x3f : text.charCodeAt(i);
  return bytes;
}

export function concat(parts: Iterable<Uint8Array>): Uint8Array {
  const list = [...parts];
  const all = new Uint8Array(list.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of list) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}

/** Of each byte, in lower case. */
export const hexDigits: readonly string[] = Array.from({ length: 256 }, (_, byte) =>
  byte.toString(16).padStart(2, '0'),
);

/** Two lower-case digits a byte. */
export function hexOf(bytes: Uint8Array): string {
  let text = '';
  for (let i = 0; i < bytes.length; i++) text += hexDigits[bytes[i] ?? 0];
  return text;
}
