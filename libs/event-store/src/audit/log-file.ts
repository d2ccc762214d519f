import { isUtf8 } from 'node:buffer';
import type { Kept } from '../envelope';
import type { TrustedKey } from './checkpoint';
import type { LogMark } from './verify-log';

/** First line of an export or a backup. */
export interface HeaderLine {
  readonly kind: 'tinkerbell-log';
  readonly format: 1;
  /** Version of the product that wrote it. */
  readonly product: string;
  /** ISO 8601. */
  readonly createdAt: string;
  /** The site's own key first, then those of sites that it was restored from. */
  readonly keys: readonly TrustedKey[];
  /** Positions of the first and the last commit that follow; 0 when the log is empty. */
  readonly first: number;
  readonly last: number;
  /** What stands before is left out: the hash there, as a checkpoint has it. Absent: the log from its first commit. */
  readonly since?: LogMark;
  /** How far the server had read the log before; null: it did not remember. */
  readonly seen: LogMark | null;
  /** The bodies that the log refers to follow the commits: a backup. */
  readonly bodies: boolean;
  /** The sealed values of secrets follow too. */
  readonly secrets?: true;
}

/** One commit. `text` holds the bytes as UTF-8, `base64` those that are none. `hash`: the rolling hash after it. */
export interface CommitLine {
  readonly position: number;
  readonly stream: string;
  readonly at: string;
  readonly id: string;
  readonly expected?: number;
  readonly hash: string;
  readonly text?: string;
  readonly base64?: string;
}

/** A body of bucket `tink_data` by its SHA-256; null when the site has lost it. */
export interface BodyLine {
  readonly body: string;
  readonly base64: string | null;
}

/** What lies sealed in a key-value bucket: only who has the key that sealed it can read it. */
export interface SealedLine {
  readonly sealed: string;
  readonly bucket: string;
  readonly base64: string;
}

/** Last line. The signature covers the header, the commits, the bodies and what is sealed. */
export interface EndLine {
  readonly end: true;
  readonly commits: number;
  readonly position: number;
  readonly hash: string;
  /** Lines of bodies and of what is sealed. */
  readonly bodies: number;
  /** Rolling hash of these lines. */
  readonly bodiesHash: string;
  readonly keyId: string;
  /** Ed25519, base64. */
  readonly signature: string;
}

export type LogLine = HeaderLine | CommitLine | BodyLine | SealedLine | EndLine;

/** This is no export of ours, or one of a newer release. */
export class LogFileError extends Error {}

/** A line is not what it has to be: the message says what. */
export class MalformedLineError extends Error {}

export function commitLine({ position, stream, at, id, expected, bytes }: Kept, hash: string): CommitLine {
  const place = { position, stream, at, id, ...(expected === undefined ? {} : { expected }), hash };
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  return isUtf8(buffer) ? { ...place, text: buffer.toString() } : { ...place, base64: buffer.toString('base64') };
}

export function keptOf({ position, stream, at, id, expected, text, base64 }: CommitLine): Kept {
  const bytes = text === undefined ? Buffer.from(base64 ?? '', 'base64') : Buffer.from(text);
  return { position, stream, at, id, bytes, ...(expected === undefined ? {} : { expected }) };
}

/** What the end line's signature covers. */
export function endText(end: Omit<EndLine, 'end' | 'keyId' | 'signature'>, headerSha256: string): string {
  const { commits, position, hash, bodies, bodiesHash } = end;
  return `tinkerbell export 1\n${headerSha256}\n${commits}\n${position}\n${hash}\n${bodies}\n${bodiesHash}\n`;
}

/** Throws MalformedLineError. */
export function parseLine(line: string): LogLine {
  const value = parseJson(line);
  if (value['kind'] === 'tinkerbell-log') return checkHeader(value);
  if ('end' in value) return check<EndLine>(value, endFields);
  if ('body' in value) return check<BodyLine>(value, { body: sha256Form, base64: isTextOrNull });
  if ('sealed' in value) return check<SealedLine>(value, { sealed: isText, bucket: isText, base64: isText });
  const commit = check<CommitLine>(value, commitFields);
  if ((commit.text === undefined) === (commit.base64 === undefined)) {
    throw new MalformedLineError('a commit has either text or base64');
  }
  return commit;
}

function checkHeader(value: Readonly<Record<string, unknown>>): HeaderLine {
  if (value['format'] !== 1) {
    throw new LogFileError(`format ${JSON.stringify(value['format'])} of the export is of another release: expected 1`);
  }
  return check<HeaderLine>(value, headerFields);
}

type Test = (value: unknown) => boolean;
const isText: Test = (value) => typeof value === 'string';
const isTextOrNull: Test = (value) => value === null || isText(value);
const isTextOrNothing: Test = (value) => value === undefined || isText(value);
const isCount: Test = (value) => typeof value === 'number' && Number.isSafeInteger(value) && value >= 0;
const sha256Form: Test = (value) => typeof value === 'string' && /^[0-9a-f]{64}$/.test(value);
const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
const isKey: Test = (value) => isObject(value) && isText(value['publicKey']);
const isMark: Test = (value) =>
  value === null || (isObject(value) && isCount(value['position']) && isText(value['hash']));

const headerFields: Readonly<Record<keyof HeaderLine, Test>> = {
  kind: isText,
  format: isCount,
  product: isText,
  createdAt: isText,
  keys: (value) => Array.isArray(value) && value.every(isKey),
  first: isCount,
  last: isCount,
  since: (value) => value === undefined || (value !== null && isMark(value)),
  seen: isMark,
  bodies: (value) => typeof value === 'boolean',
  secrets: (value) => value === undefined || value === true,
};
const commitFields: Readonly<Record<keyof CommitLine, Test>> = {
  position: (value) => isCount(value) && value !== 0,
  stream: isText,
  at: isText,
  id: isText,
  expected: (value) => value === undefined || isCount(value),
  hash: isText,
  text: isTextOrNothing,
  base64: isTextOrNothing,
};
const endFields: Readonly<Record<keyof EndLine, Test>> = {
  end: (value) => value === true,
  commits: isCount,
  position: isCount,
  hash: isText,
  bodies: isCount,
  bodiesHash: isText,
  keyId: isText,
  signature: isText,
};

function check<T>(value: Readonly<Record<string, unknown>>, fields: Readonly<Record<string, Test>>): T {
  for (const [name, test] of Object.entries(fields)) {
    if (!test(value[name])) throw new MalformedLineError(`its ${name} is not what it has to be`);
  }
  return value as T;
}

function parseJson(line: string): Readonly<Record<string, unknown>> {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch {
    throw new MalformedLineError('it is not JSON');
  }
  if (!isObject(value)) throw new MalformedLineError('it is not an object');
  return value;
}
