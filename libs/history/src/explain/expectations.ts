import {
  bootSteps,
  durationKeys,
  usualOf,
  type BootStep,
  type MachineRow,
  type Usual,
  type WorkflowRow,
} from '@tinkerbell/projections';
import { machineIdOf } from './causes';
import type { Evidence, Expectation, Waiting } from './explanation';
import { isEnded, queueOf, type Scene } from './scene';

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

/** What a workflow that is not finished waits for; null when its action runs, or there is none. */
export function waitingOf({ scene, machineId, machine, workflow }: Standing): Waiting | null {
  if (!workflow || isEnded(workflow) || machineId === undefined) return null;
  const action = workflow.actions[workflow.current];
  if (!action || action.status === 'running') return null;
  const since = workflow.actions[workflow.current - 1]?.finishedAt ?? workflow.createdAt;
  const [first] = queueOf(scene, machineId);
  if (first && first.id !== workflow.id) {
    return { text: `workflow ${first.id} of the same machine has to end first`, since };
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

export function expectedOf(standing: Standing): readonly Expectation[] {
  const found = [...ofWorkflow(standing), ...ofMachine(standing), ...ofPapers(standing)];
  const timed = found.filter(({ by }) => by !== null).sort((a, b) => (a.by ?? '').localeCompare(b.by ?? ''));
  return [...timed, ...found.filter(({ by }) => by === null)];
}

function ofWorkflow({ workflow, evidence }: Standing): readonly Expectation[] {
  if (!workflow || isEnded(workflow)) return [];
  const { globalTimeoutSeconds, startedAt, templateName: template } = workflow;
  const limit =
    globalTimeoutSeconds > 0 && startedAt !== null
      ? [{ text: 'the whole workflow ends', by: later(startedAt, globalTimeoutSeconds), since: startedAt, usual: null }]
      : [];
  const action = workflow.actions[workflow.current];
  if (!action) return limit;
  const { name, image, timeoutSeconds } = action.spec;
  const usual =
    usualFor(evidence, durationKeys.action({ template, name, image })) ?? usualFor(evidence, durationKeys.image(image));
  if (action.status !== 'running' || action.startedAt === null) {
    return [...limit, { text: `"${name}" runs`, by: null, since: null, usual }];
  }
  const by = later(action.startedAt, timeoutSeconds);
  const late = later(action.startedAt, timeoutSeconds + evidence.graceSeconds);
  const text = `"${name}" ends, or its worker stops it; the server gives it up at ${late}`;
  return [...limit, { text, by, since: action.startedAt, usual }];
}

/** The next step of the way, when there is a way to go. */
function ofMachine({ machine, workflow, evidence }: Standing): readonly Expectation[] {
  const isDue = workflow !== undefined && !isEnded(workflow);
  const isInstalled = workflow?.status === 'success' && machine?.step === 'worker';
  if (!isDue && !isInstalled) return [];
  const from = machine?.step ?? 'off';
  if (isDue && (from === 'worker' || from === 'disk')) return [];
  if (!machine || from === 'off')
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
  const paper = evidence.events.findLast(
    (recorded) =>
      machineIdOf(recorded) === machineId &&
      ['BootScriptServed', 'WorkerEnrolled', 'EnrolmentTokenIssued'].includes(recorded.event.type),
  )?.event;
  if (paper?.type === 'BootScriptServed' || paper?.type === 'EnrolmentTokenIssued') {
    runsOut('the worker enrols with its one-time token, which is worth nothing afterwards', paper.data.expiresAt);
  } else if (paper?.type === 'WorkerEnrolled' && workflow && !isEnded(workflow)) {
    runsOut('the worker needs a new credential', paper.data.expiresAt);
  }
  for (const { hardwareId, state, ip, expiresAt } of scene.leases.values()) {
    if (hardwareId === machineId && state === 'bound') {
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
