const most = 64;

/** `4000-4003` or `4000` → its ports; undefined: it is neither, or has more than 64 ports. */
export function readPortRange(text: string): readonly number[] | undefined {
  const [, from, to = from] = /^(\d{1,5})(?:-(\d{1,5}))?$/.exec(text) ?? [];
  const [first, last] = [Number(from), Number(to)];
  if (from === undefined || first < 1 || last < first || last > 65_535 || last - first >= most) return undefined;
  return Array.from({ length: last - first + 1 }, (_, i) => first + i);
}
