import { createUserKey } from '@tinkerbell/identity';
import { InMemoryEventStore, type Commit, type SubscribeOptions } from '@tinkerbell/event-store';
import type { Aggregate, Event } from '@tinkerbell/events';
import { InMemoryBlobs, InMemorySecretBucket, subjects } from '@tinkerbell/messaging';
import {
  actionFailed,
  actionStarted,
  graph,
  hardwareId,
  hardwareRegistered,
  workflowCreated,
} from '@tinkerbell/testing';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { AgentDesk } from './compat/agent-desk';
import { CompatWorker } from './compat/compat-worker';
import { Enrolment } from './enrolment/enrolment';
import { HardwareCommands } from './hardware/hardware-commands';
import { openTinkReadModels, ProjectedReads, type TinkReadModels } from './projected-reads';
import { Secrets } from './secrets/secrets';
import { TemplateCommands } from './template/template-commands';
import { WorkflowPlanner } from './template/workflow-planner';
import { machine, templateYaml } from './testing/fixtures';
import { WorkerDesk } from './workers/worker-desk';
import { WorkflowCommands } from './workflow/workflow-commands';
import { WorkflowData } from './workflow/workflow-data';

/** A log of which the read models get no commit before somebody waits for its position. */
class HeldStore extends InMemoryEventStore {
  private allowed = 0;
  private readonly held = new Set<() => void>();

  allow(position: number): void {
    this.allowed = Math.max(this.allowed, position);
    this.held.forEach((goOn) => goOn());
    this.held.clear();
  }

  override async *subscribe(options: SubscribeOptions): AsyncIterable<Commit> {
    for await (const commit of super.subscribe(options)) {
      while (commit.position > this.allowed) await new Promise<void>((goOn) => this.held.add(goOn));
      yield commit;
    }
  }
}

class WaitedReads extends ProjectedReads {
  constructor(
    models: TinkReadModels,
    private readonly store: HeldStore,
  ) {
    super(models);
  }

  override waitFor(position: number, timeoutMilliseconds: number): Promise<boolean> {
    this.store.allow(position);
    return super.waitFor(position, timeoutMilliseconds);
  }
}

const caller = { actor: 'user:ann' };
const yaml = templateYaml([{ actions: [{}] }]);

let store: HeldStore;
let models: TinkReadModels;
let reads: WaitedReads;
beforeEach(async () => {
  store = new HeldStore();
  models = await openTinkReadModels(store, ':memory:');
  reads = new WaitedReads(models, store);
});
afterEach(async () => {
  store.allow(Number.MAX_SAFE_INTEGER);
  await models.close();
  await store.close();
});

async function given(aggregate: Aggregate, id: string, ...events: readonly Event[]): Promise<void> {
  const stream = subjects.stream(aggregate, id);
  const { head } = await store.read(stream);
  const metadata = { id: `given-${await store.lastPosition()}`, actor: 'test' };
  await reads.atLeast((await store.append(stream, events, { expected: head, metadata })).head.position);
}

const hardware = () => new HardwareCommands(store, reads);
const templates = () => new TemplateCommands(store, reads);
const secrets = () => new Secrets(store, reads, new InMemorySecretBucket(), new Uint8Array(32));
const workflows = () => new WorkflowCommands(store, reads, new WorkflowPlanner(reads, null), secrets());
const data = () => new WorkflowData(store, reads, new InMemoryBlobs());
const desk = () => new WorkerDesk(store, reads, async () => []);
const enrolment = () => {
  const place = { natsUrl: '', registry: '' };
  const options = { places: { 4: place, 6: place }, ca: '', registry: { username: '', password: '' } };
  const credentials = { mintWorkerJwt: async () => 'jwt' };
  return new Enrolment(store, reads, credentials, {
    ...options,
    credentialSeconds: 60,
    tokenSeconds: 60,
    now: Date.now,
  });
};
const newTemplate = async () => (await templates().create({ name: 'install', data: yaml }, caller)).id;
const newWorkflow = () => given('workflow', 'wf', workflowCreated(2));
const asked = { type: 'ActionApprovalRequested', v: 1, data: { index: 0, message: '' } } as const;

/** Everything that writes for somebody who may read next, each with what has to be there before it. */
const writes: readonly (readonly [string, (() => Promise<unknown>) | null, () => Promise<unknown>])[] = [
  ['hardware push', null, () => hardware().push(machine(1), caller)],
  ['hardware delete', () => hardware().push(machine(1), caller), () => hardware().delete(machine(1).id, caller)],
  ['template create', null, newTemplate],
  ['template update', newTemplate, async () => templates().update(await templateId(), { name: 'other' }, caller)],
  ['template delete', newTemplate, () => templates().delete('install', caller)],
  [
    'workflow create',
    async () => [await hardware().push(machine(1), caller), await newTemplate()],
    () => workflows().create({ template: 'install', devices: { device_1: machine(1).mac } }, caller),
  ],
  ['workflow pause', newWorkflow, () => workflows().decide('wf', { type: 'PauseWorkflow', reason: '' }, caller)],
  [
    'workflow approve',
    () => given('workflow', 'wf', graph({ a: { approval: 'sure?' } }), asked),
    () => workflows().decideAction('wf', '0', { type: 'ApproveAction', reason: '' }, caller),
  ],
  [
    'workflow retry',
    () => given('workflow', 'wf', workflowCreated(1), actionStarted(0), actionFailed(0)),
    () => workflows().repeat('wf', {}, caller),
  ],
  ['workflow delete', newWorkflow, () => workflows().delete('wf', caller)],
  ['workflow data', newWorkflow, () => data().put('wf', '{"a":1}', null, caller)],
  ['secret set', null, () => secrets().set('db', 'value', caller)],
  ['secret delete', () => secrets().set('db', 'value', caller), () => secrets().delete('db', caller)],
  ['token', () => hardware().push(machine(1), caller), () => enrolment().issueToken(machine(1).id, caller)],
  [
    'enrolment',
    () => hardware().push(machine(1), caller),
    async () => {
      const { id, mac } = machine(1);
      const { token } = await enrolment().issueToken(id, caller);
      await enrolment().enrol({ workerId: id, mac, token, publicKey: createUserKey().publicKey }, '192.0.2.1');
    },
  ],
  [
    'an action of an earlier boot given up',
    async () => {
      await given('hardware', hardwareId, hardwareRegistered());
      await given('workflow', 'wf', workflowCreated(2), actionStarted(0));
    },
    () => desk().next(hardwareId, { bootId: 'boot-2' }),
  ],
  [
    'report of an agent',
    newWorkflow,
    () =>
      new AgentDesk(store, reads, desk()).report({
        ...{ workflow_id: 'wf', agent_id: hardwareId, task_id: 'hello world', action_id: 'wf.0.1', action_name: '' },
        ...{ action_state: 'RUNNING', execution_start: null, execution_stop: null, execution_duration: '' },
        message: null,
      }),
  ],
  [
    'report of a worker of the originals',
    newWorkflow,
    () =>
      new CompatWorker(store, reads, data()).report({
        ...{ workflow_id: 'wf', task_name: 'hello world', action_name: 'action-0', worker_id: hardwareId },
        ...{ action_status: 'STATE_RUNNING', seconds: 0, message: '' },
      }),
  ],
];

async function templateId(): Promise<string> {
  return reads.templates.list({ limit: 1 })[0]?.id ?? '';
}

describe('whoever is answered reads what was written', () => {
  it.each(writes)('%s', async (_, prepare, write) => {
    await prepare?.();
    const before = await store.lastPosition();
    await write();
    const written = await store.lastPosition();
    expect(written).toBeGreaterThan(before);
    // The rows have it only if the write waited for it: nobody else lets it through.
    expect(reads.position()).toBe(written);
  });

  it('which the rows do not show by themselves', async () => {
    await store.append(subjects.stream('hardware', hardwareId), [hardwareRegistered()], {
      expected: { position: 0, version: 0, hash: '' },
      metadata: { id: 'c', actor: 'test' },
    });
    expect(await models.waitFor(1, 20)).toBe(false);
    expect(await reads.waitFor(1, 10_000)).toBe(true);
  });
});
