/** Dotted quad → 32-bit number; undefined when it is none. Leading zeros are refused: some programs read them as octal. */
export function parseIpv4(text: string): number | undefined {
  let value = 0;
  let part = -1;
  let dots = 0;
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code === 46 && part >= 0) {
      value = value * 256 + part;
      part = -1;
      dots++;
    } else if (code >= 48 && code <= 57 && part !== 0) {
      part = part < 0 ? code - 48 : part * 10 + code - 48;
      if (part > 255) return undefined;
    } else return undefined;
  }
  return dots === 3 && part >= 0 ? value * 256 + part : undefined;
}

/** Dotted quad of four bytes. */
export function ipv4Text(a: number, b: number, c: number, d: number): string {
  return `${dotted[a]}${dotted[b]}${dotted[c]}${d}`;
}

/** Fewer pieces to put together: addresses are written for each packet several times. */
const dotted = Array.from({ length: 256 }, (_, byte) => `${byte}.`);

/** Length of the prefix of a contiguous netmask, `255.255.255.0` → 24; undefined when it is no netmask. */
export function prefixLength(netmask: string): number | undefined {
  const value = parseIpv4(netmask);
  if (value === undefined) return undefined;
  const bits = value.toString(2).padStart(32, '0');
  return /^1*0*$/.test(bits) ? bits.lastIndexOf('1') + 1 : undefined;
}

/** IPv6 text → its eight groups; undefined when it is none. Zone ids are refused. */
export function parseIpv6(text: string): readonly number[] | undefined {
  const dotted = /^(.*:)(\d+\.\d+\.\d+\.\d+)$/.exec(text);
  const tail = dotted?.[2] === undefined ? undefined : parseIpv4(dotted[2]);
  if (dotted && tail === undefined) return undefined;
  const plain =
    tail === undefined
      ? text
      : `${dotted?.[1] ?? ''}${Math.floor(tail / 65536).toString(16)}:${(tail % 65536).toString(16)}`;
  const halves = plain.split('::');
  if (halves.length > 2) return undefined;
  const [head = [], rest = []] = halves.map((half) => (half === '' ? [] : half.split(':')));
  const missing = 8 - head.length - rest.length;
  if (halves.length === 2 ? missing < 1 : missing !== 0) return undefined;
  const groups = [...head, ...Array.from({ length: halves.length === 2 ? missing : 0 }, () => '0'), ...rest];
  return groups.every((group) => /^[0-9a-f]{1,4}$/i.test(group))
    ? groups.map((group) => Number.parseInt(group, 16))
    : undefined;
}

/** As one number of 128 bits; undefined for what is no IPv6 address. */
export function ipv6Number(text: string): bigint | undefined {
  return parseIpv6(text)?.reduce((value, group) => (value << 16n) | BigInt(group), 0n);
}

/** RFC 5952: lower case, no leading zeros, the longest run of two or more zero groups as `::`. */
export function formatIpv6(groups: readonly number[]): string {
  const text = groups.map((group) => group.toString(16)).join(':');
  const runs = [...text.matchAll(/(?<![0-9a-f])0(?::0)+(?![0-9a-f])/g)];
  const longest = runs.reduce<RegExpMatchArray | undefined>(
    (best, run) => (run[0].length > (best?.[0].length ?? 0) ? run : best),
    undefined,
  );
  if (longest === undefined) return text;
  const { index } = longest;
  const before = text.slice(0, index ?? 0).replace(/:$/, '');
  const after = text.slice((index ?? 0) + longest[0].length).replace(/^:/, '');
  return `${before}::${after}`;
}

/** An address in its one canonical spelling, with its family; undefined when it is none. */
export function parseIp(text: string): { readonly address: string; readonly family: 4 | 6 } | undefined {
  if (parseIpv4(text) !== undefined) return { address: text, family: 4 };
  const groups = parseIpv6(text);
  return groups === undefined ? undefined : { address: formatIpv6(groups), family: 6 };
}
