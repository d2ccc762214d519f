import { ForbiddenError } from '@tinkerbell/domain';
import {
  actionFailed,
  actionStarted,
  graph,
  hardwareDeleted,
  hardwareId,
  hardwareInterface,
  hardwareRecord,
  hardwareRegistered,
  hardwareUpdated,
  workerEnrolled,
  workflowCreated,
} from '@tinkerbell/testing';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openMemory, type Memory } from '../testing/memory';
import { Permits } from './permits';
import { WorkerDesk } from './worker-desk';

let memory: Memory;
let desk: WorkerDesk;
beforeEach(async () => {
  memory = await openMemory();
  desk = new WorkerDesk(memory.store, memory.reads, async () => [], { holdMs: 20 });
  await memory.given('hardware', hardwareId, hardwareRegistered());
});
afterEach(() => memory.close());

describe('a worker that names its key', () => {
  const [older, newer, unknown] = ['A', 'B', 'C'].map((letter) => `U${letter.repeat(55)}`);
  const by = (key: string | undefined, bootId = 'boot-1') => desk.next(hardwareId, { bootId, ...(key && { key }) });
  const elsewhere = hardwareRecord({ network: { interfaces: [hardwareInterface('08-00-27-00-00-02')] } });
  beforeEach(async () => {
    await memory.given('workflow', 'wf', workflowCreated(1));
    await memory.given('enrolment', hardwareId, workerEnrolled({ publicKey: older ?? '' }));
  });

  it('is handed out what any other is, known to the log or not', async () => {
    for (const key of [older, unknown, undefined]) expect((await by(key)).assignment).toMatchObject({ index: 0 });
  });
  it('gets nothing new once a later boot or another machine enrolled in its place', async () => {
    const mac = '08-00-27-00-00-02';
    const enrolled = workerEnrolled({ publicKey: newer ?? '', tokenHash: 'b'.repeat(64), mac });
    await memory.given('enrolment', hardwareId, enrolled);
    const reason = `worker ${hardwareId} has enrolled anew since, from the machine with MAC 08:00:27:00:00:02`;
    expect(await by(older)).toEqual({ assignment: null, reason });
  });
  it('takes nothing from the one that replaced it', async () => {
    const enrolled = workerEnrolled({ publicKey: newer ?? '', tokenHash: 'b'.repeat(64) });
    await memory.given('enrolment', hardwareId, enrolled);
    await memory.given('workflow', 'wf', actionStarted(0, { bootId: 'boot-2' }));
    expect((await by(older)).reason).toContain('has enrolled anew since');
    expect(await memory.eventsOf('workflow', 'wf')).toHaveLength(2);
    expect((await by(newer, 'boot-2')).assignment).toMatchObject({ index: 0, attempt: 1 });
  });
  it('gets nothing new when its machine is not that of the record any more', async () => {
    await memory.given('hardware', hardwareId, hardwareUpdated(elsewhere));
    const machine = 'the machine with MAC 08:00:27:00:00:01';
    const reason = `this worker runs on ${machine}, which hardware ${hardwareId} no longer has`;
    expect(await by(older)).toEqual({ assignment: null, reason });
    await memory.given('workflow', 'wf', actionStarted(0));
    expect((await by(older)).assignment).toMatchObject({ index: 0, attempt: 1 });
    await memory.given('hardware', hardwareId, hardwareDeleted());
    await memory.given('workflow', 'wf', actionFailed(0));
    await memory.given('workflow', 'wf-2', workflowCreated(1));
    expect(await by(older)).toEqual({ assignment: null, reason: `no hardware ${hardwareId} is registered` });
  });
  it('gets no permit either', async () => {
    const wipe = graph({ wipe: { destructive: true } });
    await memory.given('workflow', 'wipe', wipe, actionStarted(0));
    const permits = new Permits(memory.store, memory.reads);
    const nonce = '0123456789abcdef';
    const ask = { workflowId: 'wipe', index: 0, attempt: 1, bootId: 'boot-1', nonce, disks: [], key: older ?? '' };
    await memory.given('hardware', hardwareId, hardwareUpdated(elsewhere));
    await expect(permits.grant(hardwareId, ask)).rejects.toThrow(ForbiddenError);
    expect(await memory.eventsOf('workflow', 'wipe')).toHaveLength(2);
    await memory.given('hardware', hardwareId, hardwareUpdated());
    expect((await permits.grant(hardwareId, ask)).seconds).toBeGreaterThan(0);
    const granted = (await memory.eventsOf('workflow', 'wipe')).at(-1)?.event;
    expect(granted).toMatchObject({ type: 'ActionPermitGranted', data: { nonce } });
    expect(granted?.data).not.toHaveProperty('key');
  });
});
