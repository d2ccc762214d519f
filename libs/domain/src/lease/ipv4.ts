import { ipv4Text } from '@tinkerbell/bytes';

/** NaN for what is no IPv4 address: in no range. */
export function numberOf(ip: string): number {
  let sum = 0;
  let part = 0;
  let dots = 0;
  for (let at = 0; at < ip.length; at++) {
    const code = ip.charCodeAt(at);
    if (code >= 48 && code <= 57) part = part * 10 + code - 48;
    else if (code === 46) {
      sum = sum * 256 + part;
      part = 0;
      dots++;
    } else return NaN;
  }
  return dots === 3 ? sum * 256 + part : NaN;
}

export function textOf(number: number): string {
  return ipv4Text(number >>> 24, (number >>> 16) & 0xff, (number >>> 8) & 0xff, number & 0xff);
}
