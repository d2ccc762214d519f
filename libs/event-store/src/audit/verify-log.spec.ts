import { beforeEach, describe, expect, it } from 'vitest';
import type { Kept } from '../envelope';
import { auditStream, hashOfLog, MadeLog, newSigner } from '../testing/made-log';
import { signCheckpoint } from './checkpoint';
import { LogVerifier, type LogVerifierOptions, UnknownCheckpointError } from './verify-log';

let log: MadeLog;
let kept: Kept[];

/** 1 a, 2 b, 3 a, 4 b, 5 a, 6 checkpoint of 5, 7 c, 8 b. */
beforeEach(async () => {
  log = new MadeLog();
  await log.write('a', 'b', 'a', 'b', 'a');
  await log.checkpoint();
  await log.write('c', 'b');
  kept = await log.read();
});

function verify(messages: readonly Kept[], options: Partial<LogVerifierOptions> = {}) {
  const verifier = new LogVerifier({ keys: [log.signer], ...options });
  for (const message of messages) verifier.take(message);
  return verifier.end();
}
const told = (messages: readonly Kept[], options: Partial<LogVerifierOptions> = {}) =>
  verify(messages, options).findings.map(({ position, kind, fault }) => `${position} ${kind}: ${fault}`);

const without = (...positions: readonly number[]) => kept.filter(({ position }) => !positions.includes(position));
const changed = (position: number, change: (message: Kept) => Partial<Kept>) =>
  kept.map((message) => (message.position === position ? { ...message, ...change(message) } : message));
const text = (from: string, to: string) => (message: Kept) => {
  const before = Buffer.from(message.bytes).toString();
  expect(before).toContain(from);
  return { bytes: Buffer.from(before.replace(from, to)) };
};
const renumbered = (messages: readonly Kept[]) => messages.map((message, i) => ({ ...message, position: i + 1 }));
const notSigned = 'positions 1 to 5 are not what was signed at 6: removed, altered or reordered';

describe('a whole log', () => {
  it('is covered up to its last checkpoint', () => {
    expect(verify(kept)).toEqual({
      ok: true,
      since: 0,
      commits: 8,
      streams: 4,
      last: 8,
      hash: hashOfLog(kept),
      checkpoints: 1,
      covered: 5,
      uncovered: 2,
      unknownEvents: [],
      findings: [],
      omitted: 0,
    });
  });

  it('may have commits between what a checkpoint covers and the checkpoint', async () => {
    const late = new MadeLog(log.signer);
    await late.write('a', 'b');
    const earlier = await late.read();
    await late.write('c');
    const data = signedOver(earlier);
    await late.append(auditStream, { type: 'AuditCheckpointed', v: 1, data });
    expect(verify(await late.read())).toMatchObject({ ok: true, covered: 2, uncovered: 1 });
  });

  it('may have events of a newer release, which are told', () => {
    expect(verify(changed(8, text('TemplateUpdated', 'TemplateFolded')))).toMatchObject({
      ok: true,
      unknownEvents: [{ type: 'template TemplateFolded v1', count: 1 }],
    });
  });

  it('may be empty', () => expect(verify([])).toMatchObject({ ok: true, commits: 0, covered: 0, last: 0, hash: '' }));
});

const signedOver = (messages: readonly Kept[]) => signCheckpoint(log.signer, messages.length, hashOfLog(messages));

describe('a removed commit', () => {
  it('is named when it is the first', () =>
    expect(told(without(1))).toEqual([
      `1 altered: ${notSigned}`,
      '1 removed: position 1 is missing',
      '3 removed: commit 1 of the stream missing before its commit 2',
    ]));
  it('is named in the middle', () =>
    expect(told(without(3))).toEqual([
      `1 altered: ${notSigned}`,
      '3 removed: position 3 is missing',
      '5 removed: commit 2 of the stream missing before its commit 3',
    ]));
  it('is named when it is the last and somebody remembers it', () => {
    expect(told(without(8))).toEqual([]);
    expect(told(without(8), { seen: { position: 8, hash: hashOfLog(kept) } })).toEqual([
      '8 removed: the log ends at position 7, but it was 8 commits long before',
    ]);
  });
  it('is named when what follows moved up', () =>
    expect(told(renumbered(without(3)))).toEqual([
      '1 removed: 5 commits stood before the checkpoint at 5 when it was signed, now 4',
      '4 removed: commit 2 of the stream missing before its commit 3',
      '7 reordered: was stored after position 4, but its predecessor stands at 3',
    ]));
  it('is named when it is the checkpoint', () =>
    expect(told(without(6))).toEqual(['6 removed: position 6 is missing']));
});

it('a removed stream is named', () => {
  expect(told(without(1, 3, 5))).toEqual([
    `1 altered: ${notSigned}`,
    '1 removed: position 1 is missing',
    '3 removed: position 3 is missing',
    '5 removed: position 5 is missing',
  ]);
  // With its places closed nothing but the signature knows of it.
  expect(told(renumbered(without(7)))).toEqual([]);
  expect(told(renumbered(without(7)), { seen: { position: 7, hash: hashOfLog(kept.slice(0, 7)) } })).toEqual([
    '7 altered: positions 6 to 7 are not what was in the log before: removed, altered or reordered',
  ]);
});

describe('commits that changed places', () => {
  const swapped = (a: number, b: number) =>
    kept.map((message) => kept.find(({ position }) => position === swap(message.position, a, b)) ?? message);
  const swap = (position: number, a: number, b: number) => (position === a ? b : position === b ? a : position);

  it('are named by their positions', () =>
    expect(told(swapped(3, 4))).toEqual([`1 altered: ${notSigned}`, '3 reordered: stands after position 4']));
  it('are named when they were given each other’s', () =>
    expect(told(renumbered(swapped(3, 4)))).toEqual([
      `1 altered: ${notSigned}`,
      '5 reordered: was stored after position 3, but its predecessor stands at 4',
      '8 reordered: was stored after position 4, but its predecessor stands at 3',
    ]));
  it('are named within one stream', () =>
    expect(told(renumbered(swapped(1, 3)))).toEqual([
      '1 removed: commit 1 of the stream missing before its commit 2',
      `1 altered: ${notSigned}`,
      '3 reordered: commit 1 of the stream comes after its commit 2',
      '5 reordered: was stored after position 3, but its predecessor stands at 1',
    ]));
  it('are named when one of them comes twice', () =>
    expect(told([...kept, kept[1] as Kept])).toEqual([
      '2 reordered: position 2 comes again',
      '2 reordered: commit 1 of the stream comes after its commit 3',
    ]));
});

describe('an altered commit', () => {
  it.each([
    ['payload', text('a 2', 'a 3')],
    ['actor', text('user:ann', 'user:bob')],
    ['writer’s time', text('2026-01-01', '2026-01-02')],
  ])('is named by its successor and the signature: %s', (_, change) =>
    expect(told(changed(3, change))).toEqual([
      `1 altered: ${notSigned}`,
      '3 altered: commit 2 of the stream is not the one that its commit 3 at 5 was made after',
    ]),
  );
  it('is named by the signature when it is the last of its stream', () =>
    expect(told(changed(5, text('a 3', 'a 4')))).toEqual([`1 altered: ${notSigned}`]));
  it('is named when only the time changed that the store gave it', () =>
    expect(told(changed(2, () => ({ at: '2026-01-01T00:00:00.000Z' })))).toEqual([`1 altered: ${notSigned}`]));
  it('is named when it is no commit any more', () =>
    expect(told(changed(3, () => ({ bytes: Buffer.from('{"v":1') })))).toEqual([
      `1 altered: ${notSigned}`,
      '3 altered: the commit is not JSON',
      '3 altered: commit 2 of the stream is not the one that its commit 3 at 5 was made after',
    ]));
  it('is named when it was stored under another id', () => {
    const cid = (message: Kept) => (JSON.parse(Buffer.from(message.bytes).toString()) as { cid: string }).cid;
    const says = cid(kept[6] as Kept);
    expect(told(changed(7, () => ({ id: 'x' })))).toEqual([`7 altered: was stored as command x, but says ${says}`]);
    expect(told(changed(7, () => ({ id: '' })))).toEqual([`7 altered: has no command id, but says ${says}`]);
  });
  it('is named when it does not say what it follows', () =>
    expect(told(changed(7, () => ({ expected: undefined })))).toEqual([
      '7 altered: does not say which position it was stored after',
    ]));
  it('is not blamed on those after the next checkpoint', async () => {
    await log.checkpoint();
    kept = await log.read();
    expect(told(changed(5, text('a 3', 'a 4')))).toEqual([`1 altered: ${notSigned}`]);
    expect(verify(changed(5, text('a 3', 'a 4')))).toMatchObject({ covered: 8, uncovered: 0 });
    expect(told(changed(7, text('c 1', 'c 2')))).toEqual([
      '6 altered: positions 6 to 8 are not what was signed at 9: removed, altered or reordered',
    ]);
  });
});

describe('a checkpoint', () => {
  it('of another key is named', async () => {
    await log.checkpoint(newSigner());
    expect(told(await log.read())).toEqual([
      expect.stringMatching(/^9 foreign key: the checkpoint is signed by key [0-9a-f]{16}, which is not trusted$/),
    ]);
  });
  it('of a former key is believed', async () => {
    const former = newSigner();
    await log.checkpoint(former);
    const keys = [log.signer, { publicKey: former.publicKey, former: true }];
    expect(verify(await log.read(), { keys })).toMatchObject({ ok: true, checkpoints: 2, covered: 8 });
  });
  it('whose signature is not its key’s is named', async () => {
    const data = signedOver(await log.read());
    const signature = newSigner().sign('something else');
    await log.append(auditStream, { type: 'AuditCheckpointed', v: 1, data: { ...data, signature } });
    expect(told(await log.read())).toEqual([
      expect.stringMatching(/^9 forged: the checkpoint's signature is not one of key [0-9a-f]{16}$/),
    ]);
  });
  it('that covers more than what stands before it tells that something is gone', async () => {
    const messages = await log.read();
    const data = signedOver([...messages, ...messages, ...messages]);
    await log.append(auditStream, { type: 'AuditCheckpointed', v: 1, data });
    expect(told(await log.read())).toEqual([
      '6 removed: 24 commits stood before the checkpoint at 9 when it was signed, now 8',
    ]);
  });
});

describe('a check from a checkpoint on', () => {
  /** 1 a, 2 b, 3 a, 4 b, 5 a, 6 checkpoint of 5, 7 c, 8 b, 9 a, 10 checkpoint of 9, 11 c. */
  beforeEach(async () => {
    await log.write('a');
    await log.checkpoint();
    await log.write('c');
    kept = await log.read();
  });
  const mark = (position: number) => ({ position, hash: hashOfLog(kept.slice(0, position)) });
  function check(messages: readonly Kept[], since = mark(5), keys = [log.signer]) {
    const verifier = new LogVerifier({ keys });
    verifier.goOnFrom(since);
    for (const message of messages) if (message.position > since.position) verifier.take(message);
    return verifier.end();
  }
  const found = (messages: readonly Kept[], since = mark(5)) =>
    check(messages, since).findings.map(({ position, kind, fault }) => `${position} ${kind}: ${fault}`);
  const notSignedAgain = 'positions 6 to 9 are not what was signed at 10: removed, altered or reordered';

  it('comes to the same hash, and knows how far the log is signed', () => {
    const whole = verify(kept);
    const { hash, last, covered, uncovered } = whole;
    const rest = { ok: true, since: 5, commits: 6, checkpoints: 2, findings: [], hash, last, covered, uncovered };
    expect(check(kept)).toMatchObject(rest);
    expect(check(kept, mark(9))).toMatchObject({ ok: true, since: 9, commits: 2, covered: 9, uncovered: 1, hash });
  });
  it('finds a commit that was altered', () => {
    expect(found(changed(8, text('user:ann', 'user:bob')))).toEqual([`6 altered: ${notSignedAgain}`]);
    expect(found(changed(7, text('user:ann', 'user:bob')))).toContain(
      '7 altered: commit 1 of the stream is not the one that its commit 2 at 11 was made after',
    );
  });
  it('finds a commit that was removed', () => {
    expect(found(without(8))).toEqual([`6 altered: ${notSignedAgain}`, '8 removed: position 8 is missing']);
    expect(found(without(7))).toEqual([
      `6 altered: ${notSignedAgain}`,
      '7 removed: position 7 is missing',
      '11 removed: commit 1 of the stream missing before its commit 2',
    ]);
  });
  it('finds commits that were reordered', () => {
    const [seventh, eighth] = [kept[6] as Kept, kept[7] as Kept];
    const swapped = kept.with(6, { ...eighth, position: 7 }).with(7, { ...seventh, position: 8 });
    expect(found(swapped)).toContain(`6 altered: ${notSignedAgain}`);
    expect(found(kept.with(6, eighth).with(7, seventh))).toContain('7 reordered: stands after position 8');
  });
  it('looks at nothing that stands before', () => expect(found(changed(2, text('b 1', 'b 9')))).toEqual([]));
  it('does not believe another hash than the signed one', () =>
    expect(found(kept, { position: 5, hash: 'f'.repeat(64) })).toContain(
      '5 altered: position 5 is not what was signed at 6: removed, altered or reordered',
    ));
  it.each([4, 6, 11])('refuses position %i, which no checkpoint covers exactly', (position) =>
    expect(() => check(kept, mark(position))).toThrow(
      `no checkpoint that a trusted key signed covers the log up to exactly position ${position}`,
    ),
  );
  it('refuses one that only a foreign key signed', () =>
    expect(() => check(kept, mark(5), [newSigner()])).toThrow(UnknownCheckpointError));
});
