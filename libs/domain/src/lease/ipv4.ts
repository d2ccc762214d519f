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

/** Whether `textOf` would write this address so: no zero before a digit, no part above 255. */
export function isUsualIpv4(ip: string): boolean {
  let part = -1;
  let dots = 0;
  for (let at = 0; at < ip.length; at++) {
    const code = ip.charCodeAt(at);
    if (code === 46 && part >= 0) {
      dots++;
      part = -1;
    } else if (code >= 48 && code <= 57 && part !== 0) {
      part = part < 0 ? code - 48 : part * 10 + code - 48;
      if (part > 255) return false;
    } else return false;
  }
  return dots === 3 && part >= 0;
}

export function textOf(number: number): string {
  const low = `${dotted[(number >>> 8) & 0xff]}${number & 0xff}`;
  return `${dotted[number >>> 24]}${dotted[(number >>> 16) & 0xff]}${low}`;
}

const dotted = Array.from({ length: 256 }, (_, byte) => `${byte}.`);
