import type { ActionPlan, PlannedAction, WorkflowEvent } from '@tinkerbell/events';
import { boot, machine, register, type Machine, type Story } from './story.testing';

export const graphIds = {
  graph: '55555555-4d1c-4b6e-8f0a-7f1a2b3c4d05',
  cancelling: '66666666-2b9f-4e07-9c31-7f1a2b3c4d06',
  queued: '77777777-8a5d-4f2b-a6e4-7f1a2b3c4d07',
  paused: '88888888-1e3c-4d79-b8f2-7f1a2b3c4d08',
  cancelled: '99999999-7c64-4a18-95d3-7f1a2b3c4d09',
} as const;

/** Outputs. */
export const probed = {
  links: 2,
  fastest: 'eth0',
  macs: ['52:54:00:99:00:06', '52:54:00:99:10:06'],
  switch: { name: 'leaf-7a', ports: [17, 18] },
};

const retry = { limit: 3, delaySeconds: 60, factor: 2, maxDelaySeconds: 600, exitCodes: [75], onTimeout: true };

type Step = readonly [id: string, needs: readonly number[], plan?: Partial<ActionPlan>];
const steps: readonly Step[] = [
  ['disk/inspect', []],
  ['disk/wipe', [0], { destructive: true, approval: 'Wipe all disks of rack7-node06?' }],
  ['disk/write-image', [1], { destructive: true, onReboot: 'restart' }],
  ['firmware/update', [0], { onReboot: 'ask' }],
  ['network/probe', []],
  ['network/bond', [4], { retry }],
  ['network/mirror', [], { retry }],
  ['registry/pull', []],
  ['registry/seed', [7]],
  ['registry/fallback', [7], { runs: 'failure' }],
  ['end/scan', []],
  ['end/burn-in', [0]],
  ['end/report', [2, 5, 8], { runs: 'always', condition: "actions['disk/inspect'].seconds < 60" }],
];

const emptyPlan = {
  runs: 'success',
  condition: '',
  retry: null,
  approval: null,
  destructive: false,
  onReboot: 'fail',
  secrets: {},
} as const;

function planned([id, needs, plan]: Step, workerId: string): PlannedAction {
  const [task = '', name = ''] = id.split('/');
  return {
    ...{ task, name, image: `registry.rack7:5000/${name}:latest`, timeoutSeconds: 600, workerId, pid: '' },
    ...{ command: [], onTimeout: [], onFailure: [], volumes: [], environment: [] },
    plan: { ...emptyPlan, id, needs, ...plan },
  };
}

async function create(
  story: Story,
  id: string,
  { id: workerId, mac }: Machine,
  steps: readonly Step[],
  origin: { readonly workflowId: string; readonly from: number } | null = null,
) {
  const data = {
    ...{ templateId: '5f0e8bd0-6f5f-4f5a-9b7f-1a1f6b0d7a12', templateName: 'storage-node', templateVersion: 3 },
    ...{ devices: { device_1: mac.replaceAll('-', ':') }, globalTimeoutSeconds: 7200, origin },
    actions: steps.map((step) => planned(step, workerId)),
  };
  await story.append('workflow', id, { type: 'WorkflowCreated', v: 2, data });
}

/** Appends to a workflow of this machine; what an event says of attempt and worker goes without saying. */
function teller(story: Story, id: string, { id: workerId }: Machine) {
  const append = (event: WorkflowEvent) => story.append('workflow', id, event);
  const of = (index: number, attempt = 1) => ({ index, attempt, workerId });
  const started = (index: number, secondsAgo: number, attempt = 1) =>
    append({
      type: 'ActionStarted',
      v: 1,
      data: { ...of(index, attempt), bootId: 'b1', startedAt: story.at(secondsAgo) },
    });
  return { append, of, started };
}

/** One workflow with an action in every state. */
export async function tellGraph(story: Story, node: Machine): Promise<void> {
  const { append, of, started } = teller(story, graphIds.graph, node);
  story.at(300);
  await create(story, graphIds.graph, node, steps, { workflowId: graphIds.cancelled, from: 1 });
  const inherited = { index: 0, workflowId: graphIds.cancelled, seconds: 3.2, outputs: { disks: 4 } };
  await append({ type: 'ActionInherited', v: 1, data: inherited });
  await append({
    type: 'ActionApprovalRequested',
    v: 1,
    data: { index: 1, message: 'Wipe all disks of rack7-node06?' },
  });
  await started(3, 240);
  await append({
    type: 'ActionOutcomeUnknown',
    v: 1,
    data: { ...of(3), bootId: 'b2', seconds: 41, message: 'its machine was started anew in the middle' },
  });
  await started(4, 200);
  await append({
    type: 'ActionSucceeded',
    v: 2,
    data: { ...of(4), seconds: 2.4, finishedAt: story.at(197), message: '', outputs: probed },
  });
  const failed = { seconds: 4, outcome: 'failed', reason: 'exit', exitCode: 75 } as const;
  const later = new Date(Date.now() + 90_000).toISOString();
  for (const index of [5, 6]) {
    await started(index, 190);
    const message = index === 5 ? 'the switch is busy' : 'the mirror is busy';
    await append({ type: 'ActionAttemptFailed', v: 1, data: { ...of(index), ...failed, message, retryAt: later } });
  }
  await started(5, 31, 2);
  await started(7, 120);
  const denied = { seconds: 1.1, finishedAt: story.at(118), reason: 'exit', exitCode: 1, message: 'denied' } as const;
  await append({ type: 'ActionFailed', v: 1, data: { ...of(7), ...denied } });
  await started(9, 30);
  await started(10, 110);
  const late = { seconds: 60, firedBy: 'worker', message: 'stopped after 60 s' } as const;
  story.at(50);
  await append({ type: 'ActionTimedOut', v: 1, data: { ...of(10), ...late } });
  await append({ type: 'ActionSkipped', v: 1, data: { index: 11, by: 'operator', reason: 'burnt in last week' } });
  await append({
    type: 'ReportRefused',
    v: 1,
    data: { ...of(3), kind: 'finished', outcome: 'succeeded', code: 'CONFLICT', message: 'of another boot' },
  });
}

/** What stands around it: cancelling, queued behind that and late, paused, cancelled. */
export async function tellQueues(story: Story, [busy, idle]: readonly [Machine, Machine]): Promise<void> {
  const two: readonly Step[] = [
    ['disk/wipe', []],
    ['disk/write-image', [0]],
  ];
  const gone = teller(story, graphIds.cancelled, idle);
  story.at(500);
  await create(story, graphIds.cancelled, idle, two);
  await gone.started(0, 480);
  await gone.append({ type: 'WorkflowCancelRequested', v: 1, data: { reason: 'wrong machine' } });
  await gone.append({
    type: 'ActionCancelled',
    v: 1,
    data: { ...gone.of(0), seconds: 12, confirmed: true, message: 'stopped after SIGTERM' },
  });
  await gone.append({ type: 'WorkflowFinished', v: 1, data: { status: 'cancelled', index: 0, reason: '' } });
  const ending = teller(story, graphIds.cancelling, busy);
  story.at(100);
  await create(story, graphIds.cancelling, busy, two);
  await ending.started(0, 90);
  story.at(5);
  await ending.append({ type: 'WorkflowCancelRequested', v: 1, data: { reason: '' } });
  await create(story, graphIds.queued, busy, two);
  await story.append('workflow', graphIds.queued, {
    type: 'WorkflowDelayed',
    v: 1,
    data: { cause: 'worker-silent', workerId: busy.id, afterSeconds: 600, message: 'its worker is silent' },
  });
  await create(story, graphIds.paused, idle, two);
  await story.append('workflow', graphIds.paused, { type: 'WorkflowPaused', v: 1, data: { reason: 'lunch' } });
}

export async function tellEveryState(story: Story): Promise<void> {
  const [graph, busy, idle] = [6, 7, 8].map(machine) as [Machine, Machine, Machine];
  story.at(600);
  for (const each of [graph, busy, idle]) await register(story, each);
  await boot(story, graph, 320);
  await tellQueues(story, [busy, idle]);
  await tellGraph(story, graph);
  const probing = ['eth0: link up, 25 Gb/s', 'eth1: link up, 10 Gb/s', 'LLDP: leaf-7a, ports 17 and 18'];
  probing.forEach((line, second) =>
    story.logs.write(graphIds.graph, 4, { at: story.at(199 - second), stream: 'stdout', attempt: 1, line }),
  );
  story.logs.write(graphIds.graph, 5, { at: story.at(20), stream: 'stdout', attempt: 2, line: 'bond0: eth0 up' });
  story.at(0);
}
