import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Aggregate, AnyEvent } from '@tinkerbell/events';
import { subjects } from '@tinkerbell/messaging';
import {
  hardwareList,
  leaseList,
  machineList,
  machineMeasures,
  templateList,
  usualOf,
  workflowList,
  workflowMeasures,
} from '@tinkerbell/projections';
import {
  actionAttemptFailed,
  actionCancelled,
  actionSpec,
  actionStarted,
  actionSucceeded,
  bootFileServed,
  bootScriptServed,
  hardwareDeleted,
  hardwareInterface,
  hardwareRecord,
  hardwareRegistered,
  hardwareUpdated,
  leaseBound,
  leaseReleased,
  leaseRenewed,
  machinePhonedHome,
  netbootOffered,
  osieStarted,
  templateCreated,
  templateDeleted,
  templateUpdated,
  workerReady,
  workflowCreated,
  workflowDataUpdated,
  workflowDeleted,
} from '@tinkerbell/testing';
import Database from 'better-sqlite3';
import { describe, expect, it } from 'vitest';
import type { StoredMessage } from './envelope';
import { InMemoryEventStore } from './in-memory';
import { openReadModels } from './projector';
import type { Entry } from './read-model';

const projections = {
  hardware: hardwareList,
  templates: templateList,
  workflows: workflowList,
  machines: machineList,
  leases: leaseList,
};
const measures = { workflows: workflowMeasures, machines: machineMeasures };

/** Mulberry32: the same numbers for the same seed. */
function random(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) % below;
  };
}

type Decided = readonly [Aggregate, string, readonly AnyEvent[]];

/** What three machines, three templates and five workflows may do next, in any order, sensible or not. */
function anything(pick: (below: number) => number): Decided {
  const n = pick(3);
  const [id, mac, ip] = [`h${n}`, `08-00-27-00-00-0${n}`, `10.0.0.${n}`];
  const who = { hardwareId: id, mac };
  const record = hardwareRecord({ id, network: { interfaces: [hardwareInterface(mac, `10.0.0.${pick(5)}`)] } });
  const [workflow, index] = [`w${pick(5)}`, pick(2)];
  const specs = [actionSpec({ workerId: id }), actionSpec({ workerId: id, name: 'second' })];
  const some: readonly (() => Decided)[] = [
    () => ['hardware', id, [hardwareRegistered(record)]],
    () => ['hardware', id, [hardwareUpdated(record)]],
    () => ['hardware', id, [hardwareDeleted()]],
    () => ['template', `t${n}`, [templateCreated(`name-${pick(4)}`)]],
    () => ['template', `t${n}`, [templateUpdated(`name-${pick(4)}`), templateUpdated(`name-${pick(4)}`)]],
    () => ['template', `t${n}`, [templateDeleted()]],
    () => ['workflow', workflow, [workflowCreated(specs)]],
    () => ['workflow', workflow, [actionStarted(index), workflowDataUpdated(pick(3))]],
    () => ['workflow', workflow, [actionSucceeded(index, { seconds: 1 + pick(9) })]],
    () => ['workflow', workflow, [actionAttemptFailed(index), actionStarted(index, { attempt: 2 })]],
    () => ['workflow', workflow, [{ type: 'WorkflowPaused', v: 1, data: { reason: 'lunch' } }]],
    () => ['workflow', workflow, [{ type: 'WorkflowResumed', v: 1, data: { reason: '' } }]],
    () => ['workflow', workflow, [{ type: 'ActionSkipped', v: 1, data: { index, by: 'operator', reason: 'done' } }]],
    () => ['workflow', workflow, [{ type: 'WorkflowCancelRequested', v: 1, data: { reason: '' } }]],
    () => ['workflow', workflow, [actionCancelled(index)]],
    () => ['workflow', workflow, [workflowDeleted()]],
    () => [
      'lease',
      'default',
      [leaseBound({ ...who, ip }), leaseRenewed({ hardwareId: 'h1', mac: '08-00-27-00-00-01' })],
    ],
    () => ['lease', 'default', [leaseReleased({ ...who, ip })]],
    () => ['boot', mac, [netbootOffered({ ...who, ip })]],
    () => ['boot', mac, [bootFileServed(who), bootScriptServed(who)]],
    () => ['boot', mac, [{ ...osieStarted(), data: { ...who, uptimeSeconds: 5 } }]],
    () => ['boot', mac, [machinePhonedHome(who)]],
    () => ['enrolment', id, [workerReady()]],
  ];
  return some[pick(some.length)]?.() ?? ['hardware', id, []];
}

async function history(seed: number, commits: number): Promise<StoredMessage[]> {
  const pick = random(seed);
  const log: StoredMessage[] = [];
  let clock = Date.UTC(2026, 0, 1);
  const store = new InMemoryEventStore({ log, now: () => new Date(clock) });
  for (let i = 1; i <= commits; i++) {
    const [aggregate, id, events] = anything(pick);
    clock += pick(5_000);
    const stream = subjects.stream(aggregate, id);
    const { head } = await store.read(stream);
    await store.append(stream, events, { expected: head, metadata: { id: `c${i}`, actor: 'spec' } });
  }
  return log;
}

const plain = <Row>({ key, row, json, brief }: Entry<Row>) => ({ key, row, json, brief });
const names = ['hardware', 'templates', 'workflows', 'machines', 'leases'] as const;
const open = (log: StoredMessage[], file = ':memory:') =>
  openReadModels({ store: new InMemoryEventStore({ log }), file, projections, history: measures });

describe('the past of the rows', () => {
  it.each([
    [1, 50, 1],
    [2, 400, 29],
    [3, 400, 37],
  ])(
    'is what a projector has that stopped there (history %i of %i commits, every %i)',
    { timeout: 60_000 },
    async (seed, commits, step) => {
      const log = await history(seed, commits);
      const whole = await open(log);
      const lookups = new Set<string>();
      for (let position = 0; position <= log.length; position += step) {
        const stopped = await open(log.slice(0, position));
        for (const name of names) {
          const [then, wanted] = [whole.history?.[name].at(position), stopped.models[name]];
          const rows: readonly object[] = wanted.list();
          expect({ name, position, rows: then?.list() }).toEqual({ name, position, rows });
          expect(then?.count()).toBe(rows.length);
          expect(then?.list({ limit: 2 })).toEqual(rows.slice(0, 2));
          for (const lookups of [['status:pending'], ['worker:h1'], ['worker:h1', 'status:running']]) {
            const page = { lookups, limit: 2, after: 'w1' };
            expect(then?.list(page)).toEqual(wanted.list(page));
          }
          const present = { without: 'deleted' };
          expect(then?.entries(present).map(plain)).toEqual(wanted.entries(present).map(plain));
          for (const queue of ['queue:h0', 'queue:h1', 'queue:h2'])
            for (let n = 0; n < 5; n++)
              expect({ queue, n, place: then?.place(queue, `w${n}`) }).toEqual({
                queue,
                n,
                place: wanted.place(queue, `w${n}`),
              });
          for (const queue of ['queue:h0', 'leased:655360'])
            for (const [first, last] of [
              [0, 2 ** 33],
              [167_772_161, 167_772_161],
            ] as const)
              expect({ queue, tally: then?.tally(queue, first, last) }).toEqual({
                queue,
                tally: wanted.tally(queue, first, last),
              });
          const projection = projections[name];
          for (const row of rows) for (const lookup of projection.lookups?.(row as never) ?? []) lookups.add(lookup);
          // Also what rows had before and have no more.
          for (const lookup of lookups) {
            const found = { lookup, all: then?.findAll(lookup), first: then?.find(lookup) };
            expect(found).toEqual({ lookup, all: wanted.findAll(lookup), first: wanted.find(lookup) });
          }
        }
        await stopped.close();
      }
      await whole.close();
    },
  );

  it('knows which rows something was recorded about in between, and what', async () => {
    const log = await history(4, 200);
    const { history: past, close } = await open(log);
    const store = new InMemoryEventStore({ log });
    for (const [from, to] of [
      [0, 200],
      [50, 51],
      [100, 140],
      [140, 100],
    ] as const) {
      const keys = new Set<string>();
      for (let i = 0; i < 5; i++) {
        const { events } = await store.read(subjects.stream('workflow', `w${i}`));
        if (events.some(({ position }) => position > from && position <= to)) keys.add(`w${i}`);
      }
      expect(past?.workflows.keysBetween(from, to)).toEqual([...keys]);
    }
    const { events } = await store.read(subjects.stream('workflow', 'w1'));
    expect(past?.workflows.events('w1')).toEqual(events);
    expect(past?.workflows.events('w1', 90)).toEqual(events.filter(({ position }) => position <= 90));
    expect(past?.machines.events('h1').map(({ aggregate }) => aggregate)).toEqual(
      expect.arrayContaining(['hardware', 'boot', 'lease', 'enrolment']),
    );
    await close();
  });

  it('measures each thing once, however often the file is opened', async () => {
    const dir = mkdtempSync(join(tmpdir(), 'tink-past-'));
    try {
      const log = await history(5, 300);
      const file = join(dir, 'rows.db');
      const key = `image:${actionSpec().image}`;
      // In two sittings, then anew; a file of rows without a past is built again.
      await (await open(log.slice(0, 120), file)).close();
      const second = await open(log, file);
      const [counted, rows] = [second.history?.workflows.duration(key), second.models.workflows.list()];
      await second.close();
      const whole = await open(log);
      expect(counted?.count).toBeGreaterThan(3);
      expect(counted).toEqual(whole.history?.workflows.duration(key));
      expect(usualOf(counted)).toEqual(usualOf(whole.history?.workflows.duration(key)));
      await whole.close();

      const without = join(dir, 'without.db');
      const store = new InMemoryEventStore({ log });
      const plain = await openReadModels({ store, file: without, projections });
      expect(plain.history).toBeUndefined();
      await plain.close();
      const added = await open(log, without);
      expect(added.models.workflows.list()).toEqual(rows);
      expect(added.history?.workflows.duration(key)).toEqual(counted);
      expect(added.history?.workflows.at(100).list()).not.toEqual([]);
      await added.close();
    } finally {
      rmSync(dir, { recursive: true, force: true });
    }
  });
});

it('a batch that is tried again for want of space is measured once', async () => {
  const log = await history(9, 300);
  const key = `image:${actionSpec().image}`;
  let full = false;
  const failing: typeof workflowMeasures = (before, after, recorded) => {
    const measured = workflowMeasures(before, after, recorded);
    if (full || recorded.position < 200) return measured;
    full = true;
    throw new Database.SqliteError('database or disk is full', 'SQLITE_FULL');
  };
  const store = new InMemoryEventStore({ log });
  const retried = await openReadModels({ store, file: ':memory:', projections, history: { workflows: failing } });
  const whole = await open(log);
  expect(full).toBe(true);
  expect(retried.history?.workflows.duration(key)?.count).toBeGreaterThan(3);
  expect(retried.history?.workflows.duration(key)).toEqual(whole.history?.workflows.duration(key));
  await Promise.all([retried.close(), whole.close()]);
});

describe('rows that are built anew beside those that answer', () => {
  const key = `image:${actionSpec().image}`;
  /** What the past is at some positions, of rows that stopped there. */
  async function answersOf(log: StoredMessage[], positions: readonly number[]) {
    const answers = [];
    for (const position of positions) {
      const stopped = await open(log.slice(0, position));
      answers.push({ position, rows: names.map((name) => stopped.models[name].list()) });
      await stopped.close();
    }
    return answers;
  }
  const asked = ({ history: past }: Awaited<ReturnType<typeof open>>, positions: readonly number[]) =>
    positions.map((position) => ({ position, rows: names.map((name) => past?.[name].at(position).list()) }));
  const turn = () => new Promise((resolve) => setImmediate(resolve));
  const isBuilding = ({ status }: Awaited<ReturnType<typeof open>>) => status().some(({ building }) => building);

  it('have the same past before, during and after the swap, each thing measured once, and leave nothing behind', async () => {
    const dir = mkdtempSync(join(tmpdir(), 'tink-past-'));
    try {
      const log = await history(6, 1500);
      const positions = [0, 77, 700, 1400];
      const wanted = await answersOf(log, positions);
      const store = new InMemoryEventStore({ log: log.slice(0, 1400) });
      const file = join(dir, 'rows.db');
      const read = await openReadModels({ store, file, projections, history: measures });
      // Asked for before the swap, read from after it.
      const held = read.history?.workflows.at(700);
      const rowsThen = held?.list();
      expect(asked(read, positions)).toEqual(wanted);
      const counted = read.history?.workflows.duration(key);
      expect(counted?.count).toBeGreaterThan(10);

      read.rebuild();
      let looked = 0;
      for (; isBuilding(read); looked++) {
        expect(asked(read, positions)).toEqual(wanted);
        expect(read.history?.workflows.duration(key)).toEqual(counted);
        await turn();
      }
      expect(looked).toBeGreaterThan(1);
      expect(asked(read, positions)).toEqual(wanted);
      expect(read.history?.workflows.duration(key)).toEqual(counted);
      expect(held?.list()).toEqual(rowsThen);
      await read.close();

      const db = new Database(file, { readonly: true });
      const served = db.prepare("SELECT id FROM projections WHERE role = 'served'").pluck().all();
      const left = db.prepare("SELECT name FROM sqlite_master WHERE name GLOB 'past_keys_*'").pluck().all();
      db.close();
      // What was retired goes now or at the next start.
      expect(left.length).toBeGreaterThanOrEqual(served.length);
      const again = await openReadModels({ store, file, projections, history: measures });
      await again.close();
      const after = new Database(file, { readonly: true });
      const tables = after.prepare("SELECT name FROM sqlite_master WHERE name GLOB 'past_keys_*'").pluck().all();
      after.close();
      expect(tables.map((name) => Number(/\d+$/.exec(String(name))?.[0])).sort()).toEqual(served.sort());
    } finally {
      rmSync(dir, { recursive: true, force: true });
    }
  });

  it('go on with their past after a restart in the middle, and follow what is written meanwhile', async () => {
    const dir = mkdtempSync(join(tmpdir(), 'tink-past-'));
    try {
      const log = await history(7, 1500);
      const file = join(dir, 'rows.db');
      const first = await open(log.slice(0, 1400), file);
      first.rebuild();
      while ((first.status()[0]?.building?.position ?? 1) === 0) await turn();
      expect(isBuilding(first)).toBe(true);
      await first.close();
      // The last hundred are new at the restart.
      const read = await open(log, file);
      const positions = [77, 1400, 1500];
      const wanted = await answersOf(log, positions);
      expect(asked(read, positions)).toEqual(wanted);
      while (isBuilding(read)) await turn();
      expect(asked(read, positions)).toEqual(wanted);
      const whole = await open(log);
      expect(read.history?.workflows.duration(key)).toEqual(whole.history?.workflows.duration(key));
      expect(read.history?.machines.duration('step:dhcp>http')).toEqual(
        whole.history?.machines.duration('step:dhcp>http'),
      );
      await whole.close();
      await read.close();
    } finally {
      rmSync(dir, { recursive: true, force: true });
    }
  });

  it('have no past when they were opened without one in between, until it is built', async () => {
    const dir = mkdtempSync(join(tmpdir(), 'tink-past-'));
    try {
      const log = await history(8, 300);
      const file = join(dir, 'rows.db');
      await (await open(log.slice(0, 100), file)).close();
      const store = new InMemoryEventStore({ log: log.slice(0, 200) });
      await (await openReadModels({ store, file, projections })).close();
      const read = await open(log, file);
      const positions = [50, 150, 250];
      expect(asked(read, positions)).toEqual(await answersOf(log, positions));
      await read.close();
    } finally {
      rmSync(dir, { recursive: true, force: true });
    }
  });
});
