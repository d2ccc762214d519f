import { FileVerifier, type LogMark } from '@tinkerbell/event-store';
import { ensureAuditKey } from '@tinkerbell/identity';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { machine, templateYaml } from '../testing/fixtures';
import { Harness } from '../testing/harness';
import type { Failure } from '../testing/rest-client';
import type { AuditKeyView } from './audit-export';
import type { AuditRow } from './audit-log';

const auth = 'ann:secret';
let harness: Harness;
const start = async (commits: number) => {
  const login = { TINK_AUTH_USERNAME: 'ann', TINK_AUTH_PASSWORD: 'secret' };
  harness = await Harness.start({ ...login, TINK_AUDIT_COMMITS: commits });
};
afterEach(() => harness?.close());

const rest = () => harness.rest(auth);
/** Three commits: the claims of its MAC and of its address, and the record. */
const push = async (n: number) => expect((await rest().post('/api/hardware', machine(n))).status).toBe(200);
const metric = async (name: string) => {
  const { text } = await rest().get('/metrics');
  return Number(new RegExp(`^${name} (\\d+)$`, 'm').exec(text)?.[1]);
};
const covers = (position: number) =>
  vi.waitFor(async () => expect(await metric('tink_audit_covered_position')).toBeGreaterThanOrEqual(position), {
    timeout: 30_000,
  });

async function exportLines(query = ''): Promise<readonly string[]> {
  const { status, text, headers } = await rest().get(`/api/audit/export${query}`);
  expect(status).toBe(200);
  expect(headers['content-type']).toContain('application/x-ndjson');
  return text.trimEnd().split('\n');
}
async function verified(query = '') {
  const { publicKey } = await ensureAuditKey(join(harness.nats.dir, 'identity'));
  const verifier = new FileVerifier([{ publicKey }]);
  for (const line of await exportLines(query)) verifier.take(line);
  return verifier.end();
}
async function log(query: string): Promise<readonly AuditRow[]> {
  const rows: AuditRow[] = [];
  for await (const row of rest().lines<AuditRow>(`/api/audit/log?${query}`)) rows.push(row);
  return rows;
}

describe('the signed log', () => {
  beforeEach(() => start(9));

  it('is exported whole, through restarts of the server and a kill of NATS', async () => {
    expect(await verified()).toMatchObject({
      ok: true,
      commits: 0,
      header: { product: '1.2.3-test', first: 0, last: 0 },
    });
    for (const n of [1, 2, 3]) await push(n);
    await covers(9);
    expect(await verified()).toMatchObject({ ok: true, covered: 9, uncovered: 0, checkpoints: 1 });

    await push(4);
    await harness.restart();
    // The orderly end signed what was left.
    expect(await verified()).toMatchObject({ ok: true, covered: 13, uncovered: 0, checkpoints: 2, commits: 14 });

    await push(5);
    await harness.nats.server.kill();
    await harness.nats.server.restart();
    await vi.waitFor(async () => expect((await rest().post('/api/hardware', machine(6))).status).toBe(200), {
      timeout: 30_000,
      interval: 200,
    });
    await push(7);
    await covers(23);
    const report = await verified();
    expect(report).toMatchObject({ ok: true, header: { bodies: false } });
    expect(report.checkpoints).toBeGreaterThanOrEqual(3);
    expect(report.header.seen).toMatchObject({ position: expect.any(Number) as number } satisfies Partial<LogMark>);
    expect(await metric('tink_audit_fault')).toBe(0);
  });

  it('is exported from a checkpoint on, and from nowhere else', async () => {
    for (const n of [1, 2, 3]) await push(n);
    await covers(9);
    await push(4);
    const whole = await verified();
    expect(await verified('?since=9')).toMatchObject({
      ...{ ok: true, since: 9, commits: 4, covered: 9, uncovered: 3, hash: whole.hash },
      header: { first: 10, last: 13, since: { position: 9 } },
    });
    const refused = await rest().get<Failure>('/api/audit/export?since=8');
    expect(refused.status).toBe(400);
    expect(refused.body.error).toMatchObject({
      code: 'INVALID',
      message: 'no checkpoint covers the log up to exactly position 8: the last ones cover 9',
    });
  });

  it('shows a commit that somebody stored behind the server’s back', async () => {
    await push(1);
    const connection = await harness.nats.connect();
    await connection.jetstream().publish('tink.ev.default.template.x', '{"v":1}');
    const { findings } = await verified();
    expect(findings).toEqual([
      { position: 4, stream: 'tink.ev.default.template.x', kind: 'altered', fault: 'cid of the commit is not text' },
    ]);
  });

  it('gives out its keys', async () => {
    const { publicKey } = await ensureAuditKey(join(harness.nats.dir, 'identity'));
    const { body } = await rest().get<readonly AuditKeyView[]>('/api/audit/keys');
    expect(body).toEqual([{ keyId: expect.stringMatching(/^[0-9a-f]{64}$/) as string, publicKey, former: false }]);
  });

  it('is for those who may', async () => {
    for (const path of ['keys', 'export', 'log'])
      expect((await harness.rest().get(`/api/audit/${path}`)).status).toBe(401);
  });
});

it('a backup holds the data of workflows', async () => {
  await start(9);
  await push(1);
  await rest().post('/api/templates', { name: 't', data: templateYaml([{ actions: [{}] }]) });
  const hardware = { device_1: machine(1).mac };
  const created = await rest().post<{ id: string }>('/api/workflows', { template: 't', hardware });
  expect((await rest().put(`/api/workflows/${created.body.id}/data`, '{"a":1}')).status).toBe(200);
  expect(await verified('?bodies=1')).toMatchObject({ ok: true, bodies: 1, header: { bodies: true } });
  expect(await verified()).toMatchObject({ ok: true, bodies: 0 });
});

describe('who did what', () => {
  beforeEach(async () => {
    await start(7);
    await push(1);
    await harness.rest(auth).delete(`/api/hardware/${machine(1).id}`);
    await push(2);
    await covers(7);
  });

  it('is one row per commit', async () => {
    const all = await log('');
    const claims = all.filter(({ aggregate }) => aggregate === 'claim');
    expect(claims.map(({ position, types }) => [position, types])).toEqual(
      [1, 2, 5, 6].map((position) => [position, ['ClaimTaken']]),
    );
    const rows = all.filter(({ aggregate }) => aggregate !== 'claim');
    expect(rows.map(({ position, actor, aggregate, id, types }) => [position, actor, aggregate, id, types])).toEqual([
      [3, 'user:ann', 'hardware', machine(1).id, ['HardwareRegistered']],
      [4, 'user:ann', 'hardware', machine(1).id, ['HardwareDeleted']],
      [7, 'user:ann', 'hardware', machine(2).id, ['HardwareRegistered']],
      [8, 'reactor:audit-checkpoint', 'audit', 'log', ['AuditCheckpointed']],
    ]);
    expect(rows[0]).toMatchObject({ at: expect.stringMatching(/^20\d\d-.*Z$/) as string, causationId: null });
    expect(rows[0]?.commandId).not.toBe('');
  });

  it('is filtered', async () => {
    const cases: readonly (readonly [string, readonly number[]])[] = [
      ['actor=user:', [1, 2, 3, 4, 5, 6, 7]],
      ['actor=user:ann&limit=2', [1, 2]],
      ['actor=user', []],
      ['actor=reactor:audit-checkpoint', [8]],
      ['aggregate=audit', [8]],
      [`id=${machine(2).id}`, [7]],
      ['type=HardwareDeleted', [4]],
      ['after=6', [7, 8]],
      ['since=2000-01-01', [1, 2, 3, 4, 5, 6, 7, 8]],
      ['until=2000-01-01', []],
      ['since=2999-01-01', []],
      ['limit=0', []],
    ];
    for (const [query, positions] of cases) {
      const found = (await log(query)).map(({ position }) => position);
      expect({ query, found }).toEqual({ query, found: positions });
    }
    for (const query of ['aggregate=dog', 'since=yesterday', 'limit=-1']) {
      const { status, body } = await rest().get<Failure>(`/api/audit/log?${query}`);
      expect([status, body.error.field]).toEqual([400, query.split('=')[0]]);
    }
  });
});
