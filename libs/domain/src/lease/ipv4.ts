/** NaN for what is no IPv4 address: in no range. */
export function numberOf(ip: string): number {
  let [sum, part, dots] = [0, 0, 0];
  for (let at = 0; at < ip.length; at++) {
    const code = ip.charCodeAt(at);
    if (code >= 48 && code <= 57) part = part * 10 + code - 48;
    else if (code === 46) [sum, part, dots] = [sum * 256 + part, 0, dots + 1];
    else return NaN;
  }
  return dots === 3 ? sum * 256 + part : NaN;
}

export function textOf(number: number): string {
  return `${number >>> 24}.${(number >>> 16) & 0xff}.${(number >>> 8) & 0xff}.${number & 0xff}`;
}
