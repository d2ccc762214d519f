import { MalformedOptionError } from './errors';
import type { OptionCodec } from './option-codec';
import { latin1, textBytes } from './text';

/** RFC 1035 §3.1, lengths and the root included. */
const longestName = 255;

/**
 * Domain names as DNS writes them (RFC 1035 §3.1). `compressed`: with pointers into the same option (RFC 3397); DHCPv6 forbids them
 * (RFC 8415 §10).
 */
export function domainsOption(code: number, name: string, compressed: boolean): OptionCodec<readonly string[]> {
  const fault = (reason: string) => new MalformedOptionError({ option: code, reason });
  return {
    code,
    name,
    decode(raw) {
      const domains: string[] = [];
      let at = 0;
      while (at < raw.length) {
        const { labels, next } = readName(raw, at, compressed, fault);
        domains.push(labels.join('.'));
        at = next;
      }
      return domains;
    },
    encode(domains) {
      const bytes: number[] = [];
      const places = new Map<string, number>();
      for (const domain of domains) writeName(domain, bytes, compressed ? places : new Map());
      return Uint8Array.from(bytes);
    },
  };
}

type Fault = (reason: string) => MalformedOptionError;

function readName(
  raw: Uint8Array,
  start: number,
  compressed: boolean,
  fault: Fault,
): { labels: readonly string[]; next: number } {
  const labels: string[] = [];
  let at = start;
  let size = 1;
  let next: number | undefined;
  for (;;) {
    const length = raw[at];
    if (length === undefined) throw fault(`name at byte ${start} is cut off`);
    if (length === 0) return { labels, next: next ?? at + 1 };
    if (compressed && length >= 0xc0) {
      const target = ((length & 0x3f) << 8) | (raw[at + 1] ?? 0);
      // Only backwards: a pointer to itself or forwards would go round for ever.
      if (at + 1 >= raw.length || target >= at) throw fault(`bad pointer at byte ${at}`);
      next ??= at + 2;
      at = target;
      continue;
    }
    if (length > 63 || at + 1 + length > raw.length) throw fault(`bad label at byte ${at}`);
    const label = latin1(raw.subarray(at + 1, at + 1 + length));
    if (label.includes('.')) throw fault(`label with a dot at byte ${at}`);
    labels.push(label);
    size += 1 + length;
    if (size > longestName) throw fault(`name at byte ${start} is longer than ${longestName} bytes`);
    at += 1 + length;
  }
}

function writeName(domain: string, bytes: number[], places: Map<string, number>): void {
  const labels = domain.split('.').filter((label) => label !== '');
  if (labels.reduce((size, label) => size + 1 + label.length, 1) > longestName) {
    throw new RangeError(`${JSON.stringify(domain)} is longer than ${longestName} bytes`);
  }
  for (let i = 0; i < labels.length; i++) {
    const rest = labels.slice(i).join('.');
    const known = places.get(rest);
    if (known !== undefined) {
      bytes.push(0xc0 | (known >> 8), known & 0xff);
      return;
    }
    if (bytes.length < 0x3fff) places.set(rest, bytes.length);
    const label = textBytes(labels[i] ?? '');
    if (label.length > 63) throw new RangeError(`label ${JSON.stringify(labels[i])} is longer than 63 bytes`);
    bytes.push(label.length, ...label);
  }
  bytes.push(0);
}
