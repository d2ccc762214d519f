import { beforeEach, describe, expect, it } from 'vitest';
import { hashOfLog, MadeLog, newSigner, templateStream } from '../testing/made-log';
import { AuditKeyError } from './checkpoint';
import { linesOf } from './lines';
import { LogFileError } from './log-file';
import { sha256Of } from './log-hash';
import { FileVerifier } from './verify-file';
import { UnknownCheckpointError } from './verify-log';
import { logFileLines, type LogFileSource } from './write-file';

let log: MadeLog;
let lines: string[];

async function exported(more: Partial<LogFileSource> = {}): Promise<string[]> {
  const kept = await log.read();
  const source: LogFileSource = {
    product: '1.2.3',
    createdAt: '2026-01-01T00:00:00.000Z',
    signer: log.signer,
    formerKeys: [],
    seen: undefined,
    commits: (async function* () {
      yield* kept;
    })(),
    last: kept.length,
    ...more,
  };
  const found: string[] = [];
  for await (const line of logFileLines(source)) found.push(JSON.stringify(line));
  return found;
}

function verify(text: readonly string[], keys?: readonly { publicKey: string }[]) {
  const verifier = new FileVerifier(keys);
  for (const line of text) verifier.take(line);
  return verifier.end();
}
const told = (text: readonly string[], keys?: readonly { publicKey: string }[]) =>
  verify(text, keys).findings.map(({ position, kind, fault }) => `${position} ${kind}: ${fault}`);
const replaced = (index: number, from: string, to: string) => {
  expect(lines[index]).toContain(from);
  return lines.map((line, i) => (i === index ? line.replace(from, to) : line));
};

/** Line 0 header, 1 to 6 commits (a, b, a, checkpoint, b, c), 7 end. */
beforeEach(async () => {
  log = new MadeLog();
  await log.write('a', 'b', 'a');
  await log.checkpoint();
  await log.write('b', 'c');
  lines = await exported();
});

describe('an export', () => {
  it('is whole', () => {
    expect(verify(lines)).toMatchObject({ ok: true, commits: 6, last: 6, covered: 3, uncovered: 2, findings: [] });
    expect(verify(lines).header).toMatchObject({ product: '1.2.3', first: 1, last: 6, bodies: false });
  });

  it('of an empty log is whole', async () => {
    log = new MadeLog();
    expect(verify(await exported())).toMatchObject({ ok: true, commits: 0, header: { first: 0, last: 0 } });
  });

  it('is as true as the key that it is checked with', () => {
    expect(told(lines, [log.signer])).toEqual([]);
    expect(told(lines, [newSigner()])).toEqual([
      expect.stringMatching(/^4 foreign key: the checkpoint is signed by key/),
      expect.stringMatching(/^7 foreign key: the file is signed by key [0-9a-f]{16}, which is not trusted$/),
    ]);
  });

  it('says which commit was altered, whatever of it', () => {
    const altered = 'altered: its bytes, time or stream are not what was exported';
    expect(told(replaced(6, 'user:ann', 'user:bob'))).toContain(`6 ${altered}`);
    expect(told(replaced(6, '2026-01-01T', '2026-02-01T'))).toContain(`6 ${altered}`);
    expect(told(replaced(6, 'default.template', 'other.template'))).toContain(`6 ${altered}`);
    expect(told(replaced(2, '"expected":0', '"expected":1'))).toEqual([
      '2 reordered: was stored after position 1, but its predecessor stands at 0',
    ]);
  });

  it('says which commit is missing, also the last', () => {
    expect(told(lines.filter((_, i) => i !== 6))).toEqual(['6 removed: 1 of 6 commits are missing']);
    expect(told(lines.filter((_, i) => i !== 2))).toEqual(expect.arrayContaining(['2 removed: position 2 is missing']));
  });

  it('says that it was cut, between lines and within one', () => {
    expect(told(lines.slice(0, 7))).toEqual(['7 cut: the file ends after position 6, without its last line']);
    expect(told(lines.slice(0, 1))).toEqual(['1 cut: the file ends after position 0, without its last line']);
    const torn = [...lines.slice(0, 6), (lines[6] ?? '').slice(0, 40)];
    expect(told(torn)).toEqual(['6 cut: the file ends in the middle of line 7, without its last line']);
  });

  it('says that a line cannot be read, and goes on', () => {
    expect(told(replaced(2, '{', ''))).toEqual(
      expect.arrayContaining(['2 altered: line 3: it is not JSON', '2 removed: position 2 is missing']),
    );
    expect(told(replaced(2, '"position":2', '"position":"2"'))).toContain(
      '2 altered: line 3: its position is not what it has to be',
    );
  });

  it('says that its head or its end was changed, or that something stands behind it', () => {
    expect(told(replaced(0, '1.2.3', '1.2.4'))).toEqual([expect.stringMatching(/^7 forged: the file's signature/)]);
    expect(told(replaced(7, '"commits":6', '"commits":5'))).toEqual([
      expect.stringMatching(/^7 forged: /),
      '7 altered: 1 commits were added',
    ]);
    expect(told([...lines, lines[1] ?? ''])).toEqual(['7 altered: line 9 stands after the end']);
  });

  it('finds every change of a single byte of a commit’s payload', { timeout: 60_000 }, async () => {
    log = new MadeLog();
    await log.write('a');
    await log.checkpoint();
    lines = await exported();
    for (const index of [1, 2]) {
      const line = JSON.parse(lines[index] ?? '') as { text: string };
      for (let at = 0; at < line.text.length; at++) {
        const other = line.text[at] === 'x' ? 'y' : 'x';
        const text = line.text.slice(0, at) + other + line.text.slice(at + 1);
        const changed = lines.map((old, i) => (i === index ? JSON.stringify({ ...line, text }) : old));
        const kinds = verify(changed).findings.filter(({ position }) => position === index);
        expect(kinds.length, `line ${index}, byte ${at}`).toBeGreaterThan(0);
      }
    }
  });

  it('finds a change that was carried into every hash that needs no key', async () => {
    // Somebody alters the log itself and lets the server export it: only the checkpoint knows.
    const kept = (await log.read()).map((message) =>
      message.position === 3
        ? { ...message, bytes: Buffer.from(Buffer.from(message.bytes).toString().replace('a 2', 'a 9')) }
        : message,
    );
    const commits = (async function* () {
      yield* kept;
    })();
    expect(told(await exported({ commits }))).toEqual([
      '1 altered: positions 1 to 3 are not what was signed at 4: removed, altered or reordered',
    ]);
  });

  it('compares with what the server remembers', async () => {
    const seen = { position: 9, hash: 'x' };
    expect(told(await exported({ seen }))).toEqual([
      '7 removed: the log ends at position 6, but it was 9 commits long before',
    ]);
  });

  it('keeps bytes that are no UTF-8', async () => {
    const kept = await log.read();
    const broken = kept.map((message) =>
      message.position === 6 ? { ...message, bytes: Buffer.from([0xff, 1]) } : message,
    );
    const commits = (async function* () {
      yield* broken;
    })();
    const written = await exported({ commits });
    expect(written[6]).toContain('"base64":"/wE="');
    expect(told(written)).toEqual(['6 altered: the commit is not JSON']);
  });
});

describe('a backup', () => {
  const content = Buffer.from('{"a":1}');
  const sha256 = sha256Of(content);
  beforeEach(async () => {
    const data = { version: 1, sha256, size: 7, workerId: null, index: null, action: '', task: '' };
    await log.append(templateStream('x').replace('template', 'workflow'), { type: 'WorkflowDataUpdated', v: 1, data });
  });

  it('holds what lies sealed beside the log, signed with the rest', async () => {
    const sealed = [{ sealed: 'db.1', bucket: 'tink_secrets', base64: 'AQID' }];
    const written = await exported({ sealed });
    expect(verify(written)).toMatchObject({ ok: true, bodies: 0, sealed: 1, header: { secrets: true } });
    expect(told(written.map((line) => line.replace('AQID', 'AQIE')))).toEqual([
      '8 altered: the bodies and sealed values are not those that were written',
    ]);
    expect(told(written.filter((line) => !line.includes('"sealed":')))).toHaveLength(1);
    expect(told(written.map((line) => line.replace('"base64":"AQID"', '"base64":1')))).toContain(
      '8 altered: line 9: its base64 is not what it has to be',
    );
  });
  it('holds the bodies that the log refers to, each once', async () => {
    const written = await exported({ body: async () => content });
    expect(written.filter((line) => line.includes('"body"'))).toHaveLength(1);
    expect(verify(written)).toMatchObject({ ok: true, bodies: 1, header: { bodies: true } });
  });
  it('says that a body is lost', async () =>
    expect(told(await exported({ body: async () => undefined }))).toEqual([
      `8 removed: the body ${sha256} is missing`,
    ]));
  it('says that a body is another one', async () =>
    expect(told(await exported({ body: async () => Buffer.from('{}') }))).toEqual([
      `8 altered: the body ${sha256} is another one`,
    ]));
  it('says that a body was taken out', async () => {
    const written = await exported({ body: async () => content });
    expect(told(written.filter((line) => !line.includes('"body":')))).toEqual([
      '8 altered: the bodies and sealed values are not those that were written',
      `8 removed: the body ${sha256} is missing`,
    ]);
  });
});

describe('no export', () => {
  it.each([
    ['nothing', [], 'it is empty'],
    ['another file', ['hello'], 'it is no export of a log: its first line: it is not JSON'],
    ['an export without its head', ['{"end":true}'], 'it is no export of a log: its first line: its commits is not'],
    ['a newer format', ['{"kind":"tinkerbell-log","format":2}'], 'format 2 of the export is of another release'],
  ])('%s', (_, text, fault) => {
    expect(() => verify(text)).toThrow(LogFileError);
    expect(() => verify(text)).toThrow(fault);
  });
  it('a key that is none', () =>
    expect(() => new FileVerifier([{ publicKey: 'x' }]).take(lines[0] ?? '')).toThrow(AuditKeyError));
});

describe('linesOf', () => {
  it.each([1, 2, 3, 7, 1000])('joins what was cut into pieces of %i bytes', async (size) => {
    const bytes = Buffer.from('ä\n\nböc\nd');
    const chunks = (async function* () {
      for (let i = 0; i < bytes.length; i += size) yield bytes.subarray(i, i + size);
    })();
    const found: string[] = [];
    for await (const line of linesOf(chunks)) found.push(line);
    expect(found).toEqual(['ä', 'böc', 'd']);
  });
});

describe('an export, from a checkpoint on', () => {
  const check = (text: readonly string[], since: number) => {
    const verifier = new FileVerifier([log.signer], since);
    for (const line of text) verifier.take(line);
    return verifier.end();
  };
  const found = (text: readonly string[], since = 3) =>
    check(text, since).findings.map(({ position, kind, fault }) => `${position} ${kind}: ${fault}`);

  it('is checked without what stands before', () => {
    expect(check(lines, 3)).toMatchObject({ ok: true, since: 3, commits: 3, last: 6, covered: 3, uncovered: 2 });
    expect(found(replaced(2, 'user:ann', 'user:bob'))).toEqual([]);
  });
  it('names what is wrong behind it', () => {
    expect(found(replaced(6, 'user:ann', 'user:bob'))).toEqual([
      '6 altered: its bytes, time or stream are not what was exported',
    ]);
    expect(found(lines.toSpliced(5, 1))).toContain('5 removed: position 5 is missing');
    expect(found(lines.toSpliced(3, 1))).toContain('3 removed: position 3 is missing');
    expect(found([...lines.slice(0, 5), lines[6] ?? '', lines[5] ?? '', ...lines.slice(7)])).toContain(
      '5 reordered: stands after position 6',
    );
  });
  it.each([2, 4, 7])('is refused at position %i, which no checkpoint covers exactly', (since) =>
    expect(() => check(lines, since)).toThrow(UnknownCheckpointError),
  );

  it('may hold no more than that', async () => {
    const since = { position: 3, hash: hashOfLog((await log.read()).slice(0, 3)) };
    const kept = (await log.read()).slice(3);
    const commits = (async function* () {
      yield* kept;
    })();
    const part = await exported({ since, commits });
    expect(JSON.parse(part[0] ?? '')).toMatchObject({ first: 4, last: 6, since });
    expect(part.slice(1, 4)).toEqual(lines.slice(4, 7));
    for (const wanted of [undefined, 3]) {
      const verifier = new FileVerifier([log.signer], wanted);
      for (const line of part) verifier.take(line);
      expect(verifier.end()).toMatchObject({ ok: true, since: 3, commits: 3, last: 6, hash: verify(lines).hash });
    }
    expect(() => check(part, 2)).toThrow('it begins after position 3, which is later than position 2');
    const forged = part.map((line, i) => (i === 0 ? line.replace(since.hash, 'f'.repeat(64)) : line));
    expect(found(forged)).toContain('3 altered: position 3 is not what was signed at 4: removed, altered or reordered');
  });
});
