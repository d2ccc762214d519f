import {
  decodeTftp,
  defaultLimits,
  encodeTftp,
  MalformedTftpError,
  negotiate,
  type TftpPacket,
} from '@tinkerbell/tftp';
import type { Random } from './random';
import { expectSame, type Target } from './target';

export const tftp: Target = {
  name: 'tftp',
  about: 'TFTP packets of every kind',
  longest: 1500,
  generate(random) {
    const packet = randomPacket(random);
    const bytes = encodeTftp(packet);
    const isTooLong = (packet.op === 'rrq' || packet.op === 'wrq') && bytes.length > 512;
    if (!isTooLong) expectSame('decode(encode(packet))', decodeTftp(bytes), packet);
    return bytes;
  },
  check(bytes) {
    const packet = decode(bytes);
    if (!packet) return false;
    // NULs alone fill no packet up that has no option.
    if (packet.op === 'oack' && packet.options.size === 0) return true;
    const first = encodeTftp(packet);
    expectSame('encode(decode(…))', encodeTftp(decodeTftp(first)), first);
    if (packet.op === 'rrq') negotiate(packet.options, 1_000_000, defaultLimits);
    return true;
  },
};

function decode(bytes: Uint8Array): TftpPacket | undefined {
  try {
    return decodeTftp(bytes);
  } catch (error) {
    if (error instanceof MalformedTftpError) return undefined;
    throw error;
  }
}

function randomPacket(random: Random): TftpPacket {
  const block = random.below(65_536);
  switch (random.below(5)) {
    case 0: {
      const op = random.pick(['rrq', 'wrq'] as const);
      return { op, file: word(random) || 'f', mode: word(random).toLowerCase(), options: options(random) };
    }
    case 1:
      return { op: 'data', block, data: random.bytes(random.below(1469)) };
    case 2:
      return { op: 'ack', block };
    case 3:
      return { op: 'error', code: random.below(65_536), message: word(random) };
    default:
      return { op: 'oack', options: new Map([['tsize', word(random)], ...options(random)]) };
  }
}

/** None without a name: that is how NULs look that fill a request up. */
function options(random: Random): Map<string, string> {
  return new Map(Array.from({ length: random.below(5) }, () => [word(random).toLowerCase() || 'o', word(random)]));
}

/** Bytes as characters; no capital letter beyond ASCII, for which lower and upper case are not one byte each. */
function word(random: Random): string {
  return Array.from({ length: random.below(24) }, () => String.fromCharCode(1 + random.below(126))).join('');
}
