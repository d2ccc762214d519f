import type { TftpOptions } from './packet';

export interface TransferLimits {
  /** Bytes. 1468 fills an Ethernet frame; more would be sent in IP fragments, which some firmware cannot put together. */
  readonly maxBlockSize: number;
  /** Blocks. */
  readonly maxWindowSize: number;
  /** First wait for an answer when the client does not name one. */
  readonly timeoutMs: number;
  /** Longest wait; each repetition doubles it up to here. */
  readonly maxTimeoutMs: number;
  /** Repetitions without an answer before the client is given up. */
  readonly maxRetries: number;
  /** The same before the client has said anything but its request, whose source may be forged: each repetition goes to the victim. */
  readonly maxUnansweredRetries: number;
  /** In each such time the client must take `minBytes` more, or the rest of its file: what goes slower only holds a place. */
  readonly progressMs: number;
  /** Bytes. 16 KiB a minute is one block of 512 in two seconds: less than bad links bring about. */
  readonly minBytes: number;
}

export const defaultLimits: TransferLimits = {
  maxBlockSize: 1468,
  maxWindowSize: 64,
  timeoutMs: 1000,
  maxTimeoutMs: 8000,
  maxRetries: 6,
  maxUnansweredRetries: 2,
  progressMs: 60_000,
  minBytes: 16_384,
};

export interface Negotiated {
  readonly blockSize: number;
  readonly windowSize: number;
  readonly timeoutMs: number;
  /** What the OACK says; empty: no OACK. */
  readonly accepted: TftpOptions;
}

/** Options that are unknown or make no sense are left out of the OACK, which is how a server refuses them (RFC 2347). */
export function negotiate(options: TftpOptions, size: number, limits: TransferLimits): Negotiated {
  const accepted = new Map<string, string>();
  let { timeoutMs } = limits;
  let blockSize = 512;
  let windowSize = 1;
  for (const [name, text] of options) {
    const value = /^\d{1,10}$/.test(text) ? Number(text) : undefined;
    if (value === undefined) continue;
    if (name === 'blksize' && value >= 8) {
      blockSize = Math.min(value, limits.maxBlockSize);
      accepted.set(name, String(blockSize));
    } else if (name === 'windowsize' && value >= 1 && value <= 65535) {
      windowSize = Math.min(value, limits.maxWindowSize);
      accepted.set(name, String(windowSize));
    } else if (name === 'timeout' && value >= 1 && value <= 255) {
      timeoutMs = value * 1000;
      accepted.set(name, text);
    } else if (name === 'tsize') {
      accepted.set(name, String(size));
    }
  }
  return { blockSize, windowSize, timeoutMs, accepted };
}
