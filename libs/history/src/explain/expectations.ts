import { foreverSeconds, hasEnded } from '@tinkerbell/domain';
import {
  bootSteps,
  comingDelays,
  durationKeys,
  startLimitOf,
  usualOf,
  type ActionRow,
  type BootStep,
  type Delay,
  type MachineRow,
  type Usual,
  type WorkflowRow,
} from '@tinkerbell/projections';
import { scriptTokenExpiry } from '../script-token';
import { machineIdOf } from './causes';
import type { Evidence, Expectation, Waiting } from './explanation';
import { isEnded, openActions, placeOf, type Scene } from './scene';

export interface Standing {
  readonly scene: Scene;
  readonly machineId: string | undefined;
  readonly machine: MachineRow | undefined;
  readonly workflow: WorkflowRow | undefined;
  readonly evidence: Evidence;
}

const stepTexts: Readonly<Record<BootStep, string>> = {
  dhcp: 'asks for an address',
  tftp: 'loads its boot file',
  http: 'fetches its boot script',
  osie: 'has the in-memory OS up',
  worker: 'has its worker enrolled',
  disk: 'boots its own disk and calls home',
};

/** What a workflow that is not finished waits for; null when an action of it runs, or there is none. */
export function waitingOf(standing: Standing): Waiting | null {
  const { workflow } = standing;
  if (!workflow || isEnded(workflow)) return null;
  const held = heldBack(standing, workflow);
  const found = held === undefined ? forMachine(standing, workflow) : held;
  const late = found && workflow.delays.findLast(({ at }) => at >= found.since);
  return late && late.message !== '' ? { ...found, text: `${found.text}; that is late: ${late.message}` } : found;
}

/** What people have to do, or other workflows; null when an action runs, undefined when it is the machine's turn. */
function heldBack({ scene, evidence }: Standing, workflow: WorkflowRow): Waiting | null | undefined {
  const newest = (...types: readonly string[]) =>
    evidence.events.findLast(({ aggregateId, event }) => aggregateId === workflow.id && types.includes(event.type))
      ?.at ?? workflow.updatedAt;
  if (workflow.cancelling) {
    const since = workflow.cancelRequestedAt ?? workflow.updatedAt;
    return { text: 'the worker has to stop what runs: the workflow is being cancelled', since };
  }
  const open = openActions(workflow);
  if (open.some(({ status }) => status === 'running')) return null;
  if (workflow.paused) {
    return { text: 'somebody has to resume it (tink workflow resume): it is paused', since: newest('WorkflowPaused') };
  }
  const asked = open.find(({ status }) => status === 'awaiting-approval');
  if (asked) {
    const text = `somebody has to approve "${asked.spec.name}"${asked.message === '' ? '' : `: ${asked.message}`}`;
    return { text, since: newest('ActionApprovalRequested') };
  }
  const lost = open.find(({ status }) => status === 'unknown');
  if (lost) {
    const text = `somebody has to say what became of "${lost.spec.name}" (tink workflow resolve): its machine was started anew while it ran`;
    return { text, since: newest('ActionOutcomeUnknown') };
  }
  const place = placeOf(scene, workflow);
  if (!place) return undefined;
  const text =
    `workflow ${place.behind} on machine ${place.machineId} has to end first; ` +
    `this one is number ${place.position} in its queue`;
  return { text, since: sinceOf(workflow) };
}

function forMachine({ scene, machineId, machine, evidence }: Standing, workflow: WorkflowRow): Waiting | null {
  const action = workflow.actions[workflow.current];
  if (!action || hasEnded(action.status) || machineId === undefined) return null;
  const since = sinceOf(workflow);
  if (action.retryAt !== null && action.retryAt > evidence.now) {
    return { text: `the pause before the next try of "${action.spec.name}", until ${action.retryAt}`, since };
  }
  const record = scene.hardware.get(machineId)?.hardware;
  if (!record) return { text: `hardware ${machineId} is not registered: the machine gets no answer`, since };
  if (machine?.step === 'worker') return { text: `the worker has to ask for "${action.spec.name}"`, since };
  if (!record.network.interfaces.some(({ netboot }) => netboot.allow_pxe)) {
    return { text: 'the machine may not boot from the network: allow_pxe is false on its record', since };
  }
  const reached = machine?.steps.at(-1);
  if (!reached || reached.at < workflow.createdAt || machine?.step === 'disk') {
    return { text: 'the machine has to be powered on, or restarted, to boot from the network', since };
  }
  return { text: `the machine is on its way: it has reached the step "${reached.step}"`, since: reached.at };
}

/** When the last of its actions ended, or a try of one. */
function sinceOf({ actions, createdAt }: WorkflowRow): string {
  return actions.reduce(
    (last, { finishedAt }) => (finishedAt !== null && finishedAt > last ? finishedAt : last),
    createdAt,
  );
}

export function expectedOf(standing: Standing): readonly Expectation[] {
  // The machine's way first: what its workflow does next comes at the end of that.
  const found = [...ofDelays(standing), ...ofMachine(standing), ...ofWorkflow(standing), ...ofPapers(standing)];
  const timed = found.filter(({ by }) => by !== null).sort((a, b) => (a.by ?? '').localeCompare(b.by ?? ''));
  return [...timed, ...found.filter(({ by }) => by === null)];
}

function ofWorkflow({ workflow, evidence }: Standing): readonly Expectation[] {
  if (!workflow || isEnded(workflow)) return [];
  const { globalTimeoutSeconds, startedAt } = workflow;
  const limit =
    globalTimeoutSeconds > 0 && startedAt !== null
      ? [{ text: 'the whole workflow ends', by: later(startedAt, globalTimeoutSeconds), since: startedAt, usual: null }]
      : [];
  const running = workflow.actions.filter(({ status }) => status === 'running');
  if (running.length > 0) return [...limit, ...running.map((action) => ending(action, workflow, evidence))];
  const action = workflow.actions[workflow.current];
  return action && !hasEnded(action.status) ? [...limit, coming(action, workflow, evidence)] : limit;
}

function ending({ spec, startedAt }: ActionRow, workflow: WorkflowRow, evidence: Evidence): Expectation {
  const { name, timeoutSeconds } = spec;
  const usual = usualOfAction(spec, workflow, evidence);
  if (workflow.cancelling && workflow.cancelRequestedAt !== null) {
    const by = later(workflow.cancelRequestedAt, evidence.cancelGraceSeconds);
    return { text: `"${name}" is stopped by its worker, or the server gives it up`, by, since: startedAt, usual: null };
  }
  if (startedAt === null) return { text: `"${name}" ends`, by: null, since: null, usual };
  const late = later(startedAt, timeoutSeconds + evidence.graceSeconds);
  const text = `"${name}" ends, or its worker stops it; the server gives it up at ${late}`;
  return { text, by: later(startedAt, timeoutSeconds), since: startedAt, usual };
}

function coming({ spec, status, retryAt, attempt }: ActionRow, workflow: WorkflowRow, evidence: Evidence): Expectation {
  const usual = usualOfAction(spec, workflow, evidence);
  const soon = { by: null, since: null, usual };
  const { name } = spec;
  if (status === 'awaiting-approval')
    return { ...soon, text: `"${name}" runs once it is approved, or fails when it is rejected` };
  if (status === 'unknown') return { ...soon, text: `"${name}" is resolved as done or failed, or runs again` };
  if (workflow.paused) return { ...soon, text: `"${name}" runs once the workflow is resumed` };
  const limit = startLimitOf(workflow, evidence.graceSeconds);
  if (limit && workflow.actions[limit.index]?.spec === spec) {
    const [by, since] = [limit.at, limit.since].map((time) => new Date(time).toISOString());
    return { text: `"${name}" begins, or the server gives it up`, by: by ?? null, since: since ?? null, usual };
  }
  if (retryAt !== null)
    return { ...soon, text: `"${name}" is tried again (attempt ${attempt + 1}), not before ${retryAt}` };
  return { ...soon, text: `"${name}" runs` };
}

function usualOfAction({ name, image }: ActionRow['spec'], workflow: WorkflowRow, evidence: Evidence): Usual | null {
  const template = workflow.templateName;
  return (
    usualFor(evidence, durationKeys.action({ template, name, image })) ?? usualFor(evidence, durationKeys.image(image))
  );
}

const delayTexts: Readonly<Record<Delay['cause'], string>> = {
  'machine-never-booted': 'the machine begins to boot',
  'worker-never-showed-up': 'the worker comes up',
  'worker-silent': 'the worker begins this workflow',
};

/** When the workflow is recorded as late. While another one has its machine nobody is late. */
function ofDelays({ scene, workflow, evidence: { delaySeconds } }: Standing): readonly Expectation[] {
  if (!workflow || delaySeconds === undefined || placeOf(scene, workflow) !== undefined) return [];
  return comingDelays(workflow, delaySeconds, (id) => scene.machines.get(id)).map(({ at, since, cause }) => ({
    text: `${delayTexts[cause]}, or the workflow is recorded as late`,
    by: new Date(at).toISOString(),
    since: new Date(since).toISOString(),
    usual: null,
  }));
}

/** The next step of the way, when there is a way to go. */
function ofMachine({ machine, workflow, evidence }: Standing): readonly Expectation[] {
  const isDue = workflow !== undefined && !isEnded(workflow);
  const isInstalled = workflow?.status === 'success' && machine?.step === 'worker';
  if (!isDue && !isInstalled) return [];
  const from = machine?.step ?? 'off';
  if (isDue && from === 'worker') return [];
  if (!machine || from === 'off' || from === 'disk')
    return [{ text: `the machine ${stepTexts.dhcp}`, by: null, since: null, usual: null }];
  const since = machine.steps[machine.steps.findLastIndex(({ step }) => step !== from) + 1]?.at ?? machine.updatedAt;
  const [first, ...others] = bootSteps
    .slice(bootSteps.indexOf(from) + 1)
    .map((to) => ({ to, usual: usualFor(evidence, durationKeys.step(from, to)) }));
  // The way that machines most often take from here; the very next step when none ever went.
  const likely = others.reduce((a, b) => ((b.usual?.count ?? 0) > (a?.usual?.count ?? 0) ? b : a), first);
  return likely ? [{ text: `the machine ${stepTexts[likely.to]}`, by: null, since, usual: likely.usual }] : [];
}

/** What runs out: the one-time token of the boot script, the worker's credential, the lease. */
function ofPapers({ scene, machineId, workflow, evidence }: Standing): readonly Expectation[] {
  const papers: Expectation[] = [];
  const runsOut = (text: string, by: string | null) => {
    if (by !== null) papers.push({ text, by, since: null, usual: null });
  };
  const paper = evidence.events.findLastIndex(
    (recorded) =>
      machineIdOf(recorded) === machineId &&
      ['BootScriptServed', 'WorkerEnrolled', 'WorkerCredentialRenewed', 'EnrolmentTokenIssued'].includes(
        recorded.event.type,
      ),
  );
  const token = 'the worker enrols with its one-time token, which is worth nothing afterwards';
  const event = evidence.events[paper]?.event;
  if (event?.type === 'BootScriptServed') {
    runsOut(token, scriptTokenExpiry(evidence.events.slice(paper)));
  } else if (event?.type === 'EnrolmentTokenIssued') {
    runsOut(token, event.data.expiresAt);
  } else if (event?.type === 'WorkerEnrolled' || event?.type === 'WorkerCredentialRenewed') {
    if (workflow && !isEnded(workflow)) runsOut('the worker needs a new credential', event.data.expiresAt);
  }
  for (const { hardwareId, state, ip, leaseSeconds, expiresAt } of scene.leases.values()) {
    if (hardwareId === machineId && state === 'bound' && leaseSeconds !== foreverSeconds) {
      runsOut(`the machine renews its lease of ${ip}, or loses it`, expiresAt);
    }
  }
  return papers;
}

function usualFor({ duration }: Evidence, key: string): Usual | null {
  return usualOf(duration(key)) ?? null;
}

function later(iso: string, seconds: number): string {
  return new Date(Date.parse(iso) + seconds * 1000).toISOString();
}
