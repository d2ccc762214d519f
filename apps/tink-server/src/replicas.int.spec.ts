import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { subjects } from '@tinkerbell/messaging';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { machine, templateYaml } from './testing/fixtures';
import { Harness, type Replica } from './testing/harness';
import type { RestClient } from './testing/rest-client';

let harness: Harness;
let second: Replica;
let dir: string;
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'tink-server-b-'));
  harness = await Harness.start({ TINK_ACTION_GRACE_SECONDS: 1 });
  second = await harness.replica(dir);
});
afterEach(async () => {
  await second?.close();
  await harness?.close();
  await rm(dir, { recursive: true, force: true });
});

const servers = (): readonly [RestClient, RestClient] => [harness.rest(), second.rest()];

describe('two servers on one log', () => {
  it('let exactly one of two racing pushes of a MAC win', async () => {
    for (let round = 1; round <= 20; round++) {
      const answers = await Promise.all(
        servers().map((rest, i) => {
          const { id } = machine(round * 2 + i);
          const { network } = machine(round);
          return rest.post<{ error?: { code: string; message: string } }>('/api/hardware', {
            id,
            metadata: {},
            network,
          });
        }),
      );
      expect(answers.map(({ status }) => status).sort()).toEqual([200, 409]);
      const refused = answers.find(({ status }) => status === 409);
      expect(refused?.body.error).toMatchObject({ code: 'CONFLICT' });
      // The MAC or the IP, whichever was claimed first.
      expect(refused?.body.error?.message).toMatch(/^conflicting hardware (MAC|IP) address .* belongs to hardware /);
    }
  });

  it('wake a worker after the last of them knows: one that asks only when woken gets every workflow', async () => {
    const hardware = machine(1);
    const [one, other] = servers();
    await one.post('/api/hardware', hardware);
    const data = templateYaml([{ actions: [{}] }]);
    await other.post('/api/templates', { name: 'one-action', data });
    const worker = await harness.worker(hardware.id);
    for (let round = 0; round < 30; round++) {
      const rest = servers()[round % 2] ?? one;
      const body = { template: 'one-action', hardware: { device_1: hardware.mac } };
      const { body: created } = await rest.post<{ id: string }>('/api/workflows', body);
      const assignment = await worker.assigned();
      expect(assignment.workflowId).toBe(created.id);
      await worker.started(assignment);
      await worker.finished(assignment);
      await worker.until(
        () => worker.state(assignment),
        ({ finished }) => finished,
      );
    }
  });

  it('begin one of two workflows over the same machines, and both come to their end', async () => {
    const machines = [machine(1), machine(2)];
    const [one, other] = servers();
    for (const hardware of machines) await one.post('/api/hardware', hardware);
    const data = templateYaml([{ actions: [{}] }, { device: 'device_2', actions: [{}] }]);
    await other.post('/api/templates', { name: 'two-machines', data });
    const workers = await Promise.all(machines.map(({ id }) => harness.worker(id)));
    for (let round = 0; round < 8; round++) {
      const created = await Promise.all(
        [machines, machines.toReversed()].map(async ([first, second]) => {
          const hardware = { device_1: first?.mac, device_2: second?.mac };
          return (await one.post<{ id: string }>('/api/workflows', { template: 'two-machines', hardware })).body.id;
        }),
      );
      const asked = await Promise.all(workers.map((worker) => worker.next()));
      const begun = asked.flatMap(({ assignment }) => assignment?.workflowId ?? []);
      expect(begun.length, JSON.stringify(asked)).toBeLessThan(2);
      await Promise.all(
        workers.map(async (worker) => {
          for (let i = 0; i < created.length; i++) {
            const assignment = await worker.assigned();
            await worker.started(assignment);
            await worker.finished(assignment);
            await worker.until(
              () => worker.state(assignment),
              ({ finished }) => finished,
            );
          }
        }),
      );
      for (const id of created) {
        const { events } = await harness.store.read(subjects.stream('workflow', id));
        expect(events.at(-1)?.event).toMatchObject({ type: 'WorkflowFinished', data: { status: 'success' } });
        expect(events.filter(({ event }) => event.type === 'MachinesTaken')).toHaveLength(1);
      }
    }
  });

  it('end a workflow whose first machine died with the action that it got, and free the other machine', async () => {
    const machines = [machine(1), machine(2)];
    const rest = harness.rest();
    for (const hardware of machines) await rest.post('/api/hardware', hardware);
    const data = templateYaml([{ actions: [{ timeout: 1 }] }, { device: 'device_2', actions: [{}] }]);
    await rest.post('/api/templates', { name: 'two-machines', data });
    const create = async ([first, second]: readonly ReturnType<typeof machine>[]) => {
      const hardware = { device_1: first?.mac, device_2: second?.mac };
      return (await rest.post<{ id: string }>('/api/workflows', { template: 'two-machines', hardware })).body.id;
    };
    const id = await create(machines);
    const [dying, waiting] = await Promise.all(machines.map(({ id: workerId }) => harness.worker(workerId)));
    if (!dying || !waiting) throw new Error('no workers');
    expect((await dying.assigned()).workflowId).toBe(id);
    const next = await create(machines.toReversed());
    // The other one asks until it may begin the next workflow.
    expect((await waiting.assigned()).workflowId).toBe(next);
    const { events } = await harness.store.read(subjects.stream('workflow', id));
    expect(events.map(({ event }) => event)).toMatchObject([
      { type: 'WorkflowCreated' },
      { type: 'MachinesTaken', data: { index: 0 } },
      {
        type: 'ActionTimedOut',
        data: { index: 0, attempt: 1, firedBy: 'server', message: expect.stringContaining('no sign of the worker') },
      },
      { type: 'WorkflowFinished', data: { status: 'timeout', index: 0 } },
    ]);
    // It comes back: what it has to say is recorded as what it is, and it goes on with what there is.
    const late = { workflowId: id, index: 0, attempt: 1 };
    expect(await dying.state(late)).toEqual({
      goOn: false,
      finished: false,
      reason: 'the workflow has ended: timeout',
    });
  });

  it('record each report once, in order, also when the one that took them goes', async () => {
    const hardware = machine(1);
    await harness.rest().post('/api/hardware', hardware);
    const data = templateYaml([{ actions: Array.from({ length: 8 }, () => ({})) }]);
    await harness.rest().post('/api/templates', { name: 'long', data });
    const body = { template: 'long', hardware: { device_1: hardware.mac } };
    const { body: created } = await harness.rest().post<{ id: string }>('/api/workflows', body);
    const worker = await harness.worker(hardware.id);
    const first = await worker.assigned();
    // Everything at once, as a worker does that was cut off: whoever takes over has to keep the order.
    const reports = Array.from({ length: 8 }, (_, index) => ({ ...first, index }));
    for (const [i, one] of reports.entries()) {
      await worker.started(one);
      await worker.finished(one);
      if (i === 2) await harness.restart(); // the first one held the lease
    }
    await worker.until(
      () => worker.state({ ...first, index: 7 }),
      ({ finished }) => finished,
    );
    const { events } = await harness.store.read(subjects.stream('workflow', created.id));
    expect(events.map(({ event }) => event.type)).toEqual([
      'WorkflowCreated',
      ...reports.flatMap(() => ['ActionStarted', 'ActionSucceeded']),
      'WorkflowFinished',
    ]);
  });
});
