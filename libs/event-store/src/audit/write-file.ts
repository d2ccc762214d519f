import type { Kept } from '../envelope';
import { keyIdOf, type Signer, type TrustedKey } from './checkpoint';
import {
  type BodyLine,
  commitLine,
  type EndLine,
  endText,
  type HeaderLine,
  type LogLine,
  type SealedLine,
} from './log-file';
import { emptyLogHash, leafOf, roll, sha256Of } from './log-hash';
import { referredBodies } from './referred-bodies';
import type { LogMark } from './verify-log';

export interface LogFileSource {
  readonly product: string;
  /** ISO 8601. */
  readonly createdAt: string;
  readonly signer: Signer;
  readonly formerKeys: readonly string[];
  readonly seen: LogMark | undefined;
  /** Where the file begins; absent: at the first commit. */
  readonly since?: LogMark;
  /** Every commit from there to the one at `last`, as stored. */
  readonly commits: AsyncIterable<Kept>;
  readonly last: number;
  /** A body by its SHA-256; undefined when it is lost. Without this function the file holds the log only. */
  readonly body?: (sha256: string) => Promise<Uint8Array | undefined>;
  /** With it the file holds what lies sealed beside the log. */
  readonly sealed?: readonly SealedLine[];
}

/** The lines of an export or a backup; each is written as `JSON.stringify` has it. */
export async function* logFileLines(source: LogFileSource): AsyncGenerator<LogLine> {
  const header = headerOf(source);
  yield header;
  let { hash, position } = source.since ?? { hash: emptyLogHash, position: 0 };
  let commits = 0;
  const wanted = new Set<string>();
  for await (const kept of source.commits) {
    hash = roll(hash, leafOf(kept, sha256Of(kept.bytes)));
    position = Math.max(position, kept.position);
    commits++;
    if (source.body) for (const sha256 of referredBodies(kept)) wanted.add(sha256);
    yield commitLine(kept, hash);
  }
  let bodies = 0;
  let bodiesHash = emptyLogHash;
  for await (const line of beside(source, wanted)) {
    bodies++;
    bodiesHash = roll(bodiesHash, sha256Of(JSON.stringify(line)));
    yield line;
  }
  yield signedEnd(source.signer, { commits, position, hash, bodies, bodiesHash }, sha256Of(JSON.stringify(header)));
}

async function* beside(
  { body, sealed = [] }: LogFileSource,
  wanted: ReadonlySet<string>,
): AsyncGenerator<BodyLine | SealedLine> {
  for (const sha256 of wanted) {
    const content = await body?.(sha256);
    yield { body: sha256, base64: content ? Buffer.from(content).toString('base64') : null };
  }
  yield* sealed;
}

function headerOf(source: LogFileSource): HeaderLine {
  const { product, createdAt, signer, formerKeys, since, seen, last, body, sealed } = source;
  const former = formerKeys.map((publicKey): TrustedKey => ({ publicKey, former: true }));
  return {
    kind: 'tinkerbell-log',
    format: 1,
    product,
    createdAt,
    keys: [{ publicKey: signer.publicKey }, ...former],
    first: last === (since?.position ?? 0) ? 0 : (since?.position ?? 0) + 1,
    last,
    ...(since ? { since } : {}),
    seen: seen ?? null,
    bodies: body !== undefined,
    ...(sealed ? { secrets: true } : {}),
  };
}

function signedEnd(signer: Signer, end: Parameters<typeof endText>[0], headerSha256: string): EndLine {
  const signature = signer.sign(endText(end, headerSha256));
  return { end: true, ...end, keyId: keyIdOf(signer.publicKey), signature };
}
