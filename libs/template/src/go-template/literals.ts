const escapes: Readonly<Record<string, string>> = {
  a: '\x07',
  b: '\b',
  f: '\f',
  n: '\n',
  r: '\r',
  t: '\t',
  v: '\v',
  '\\': '\\',
  "'": "'",
  '"': '"',
};
const escape =
  /\\(?:([abfnrtv\\'"])|x([0-9a-fA-F]{2})|([0-7]{3})|u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8}))|(\\)|([^\\]+)/gsu;

/** The text between the quotes of a Go string or character → its value; undefined when an escape is none that Go knows. */
export function unquote(inner: string, quote: '"' | "'"): string | undefined {
  const bytes: number[] = [];
  const encoder = new TextEncoder();
  for (const [, simple, hex, octal, u4, u8, wrong, plain] of inner.matchAll(escape)) {
    if (wrong !== undefined || (simple !== undefined && simple !== quote && `'"`.includes(simple))) return undefined;
    const byte = hex === undefined ? Number.parseInt(octal ?? '', 8) : Number.parseInt(hex, 16);
    const code = Number.parseInt(u4 ?? u8 ?? '', 16);
    if (byte > 255 || code > 0x10ffff || (code >= 0xd800 && code < 0xe000)) return undefined;
    if (!Number.isNaN(byte)) bytes.push(byte);
    else
      bytes.push(...encoder.encode(Number.isNaN(code) ? (escapes[simple ?? ''] ?? plain) : String.fromCodePoint(code)));
  }
  return new TextDecoder().decode(new Uint8Array(bytes));
}

/** `42`, `0x2A`, `1_000`, `4.2e1`, `'x'` → int (bigint) or float64 (number); undefined when it is no such number or does not fit. */
export function numberOf(text: string): bigint | number | undefined {
  const signed = /^([+-]?)(.*)$/s.exec(text);
  const digits = signed?.[2] ?? '';
  const sign = signed?.[1] === '-' ? -1 : 1;
  if (/^(?:0|[1-9](?:_?\d)*|0[xX](?:_?[0-9a-fA-F])+|0[oO](?:_?[0-7])+|0[bB](?:_?[01])+|0(?:_?[0-7])+)$/.test(digits)) {
    const plain = digits.replaceAll('_', '').toLowerCase();
    const value = BigInt(sign) * BigInt(/^0[0-7]+$/.test(plain) ? `0o${plain.slice(1)}` : plain);
    return value === BigInt.asIntN(64, value) ? value : undefined;
  }
  if (/^\d[\d_]*$/.test(digits)) return undefined;
  if (/^(?:\d(?:_?\d)*)?\.?(?:\d(?:_?\d)*)?(?:[eE][+-]?\d+)?$/.test(digits) && /^\.?\d/.test(digits)) {
    const value = sign * Number(digits.replaceAll('_', ''));
    return Number.isFinite(value) ? value : undefined;
  }
  return undefined;
}

/** Go's strconv.Quote. */
export function quote(text: string): string {
  const inner = text.replace(/["\\]|[^\x20-\x7e]/gu, (c) => {
    const code = c.codePointAt(0) ?? 0;
    const short = Object.keys(escapes).find((key) => key !== "'" && escapes[key] === c);
    if (short !== undefined) return `\\${short}`;
    if (code < 0x20 || code === 0x7f) return `\\x${code.toString(16).padStart(2, '0')}`;
    if (/[\p{L}\p{M}\p{N}\p{P}\p{S}]/u.test(c)) return c;
    return code > 0xffff ? `\\U${code.toString(16).padStart(8, '0')}` : `\\u${code.toString(16).padStart(4, '0')}`;
  });
  return `"${inner}"`;
}
