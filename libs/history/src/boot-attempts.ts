import type { AnyEvent, Recorded } from '@tinkerbell/events';
import {
  bootSteps,
  durationKeys,
  isHome,
  machineList,
  usualOf,
  type BootStep,
  type DurationRow,
  type MachineEvent,
  type MachineRow,
  type Usual,
} from '@tinkerbell/projections';
import { notHeard } from './explain/states';
import { failedText, wasServed } from './failed-requests';
import { duration as durationText, took } from './duration-text';
import { scriptTokenExpiry } from './script-token';
import { tell } from './telling/tell';

/** `kernel`: when OSIE's kernel started, by what its init said later. */
export type AttemptStep = BootStep | 'kernel';

/** What a machine did on one way from power-on to a worker or its own disk. Times are ISO 8601. */
export interface BootAttempt {
  readonly startedAt: string;
  readonly steps: readonly {
    readonly step: AttemptStep;
    readonly at: string;
    /** Seconds since the attempt began. */
    readonly seconds: number;
    readonly detail: string;
  }[];
  /** What boots refused on that way, and why. */
  readonly troubles: readonly { readonly at: string; readonly text: string }[];
  /** `replaced`: the machine began anew before it was there. `stopped`: the next step is long overdue. */
  readonly outcome: 'worker' | 'disk' | 'own-script' | 'replaced' | 'stopped' | 'under-way';
  /** In one sentence. */
  readonly verdict: string;
  /** What usually follows, seconds since the machine reached the step that it is at; null when it is there, or nothing is known. */
  readonly next: { readonly step: BootStep; readonly usual: Usual } | null;
  /** Where to look when it did not get on; null when it did. */
  readonly hint: string | null;
}

export interface BootEvidence {
  /** Everything about one machine, in log order. */
  readonly events: readonly Recorded<AnyEvent>[];
  /** ISO 8601. */
  readonly now: string;
  /** How long things took before, by `durationKeys`. */
  readonly duration: (key: string) => DurationRow | undefined;
}

/** A way is stopped when the next step takes more than this many times what nine of ten take, and so many seconds more. */
const overdue = { factor: 2, seconds: 10 } as const;
/** What machines do when nothing is known of them yet: firmware and kernels start in less. */
const patienceSeconds = 180;

/** All attempts of one machine, oldest first. */
export function bootAttempts(evidence: BootEvidence): readonly BootAttempt[] {
  const ways = waysOf(evidence.events);
  return ways.map((way, i) => toAttempt(way, ways[i + 1]?.events[0]?.at, evidence));
}

interface Way {
  readonly row: MachineRow;
  readonly troubles: BootAttempt['troubles'];
  readonly kernelAt: string | undefined;
  readonly events: readonly Recorded<AnyEvent>[];
}

/** The machine's rows just before each new power-on, and the last one. */
function waysOf(events: readonly Recorded<AnyEvent>[]): readonly Way[] {
  const ways: Way[] = [];
  let row: MachineRow | undefined;
  let troubles: BootAttempt['troubles'] = [];
  let kernelAt: string | undefined;
  let begin = 0;
  for (const [i, recorded] of events.entries()) {
    if (!isOfMachine(recorded)) continue;
    const next = machineList.evolve(row, recorded);
    if (row && row.steps.length > 0 && next?.steps[0] !== row.steps[0] && isNewWay(row, next)) {
      ways.push({ row, troubles, kernelAt, events: events.slice(begin, i) });
      [troubles, kernelAt, begin] = [[], undefined, i];
    }
    const text = troubleOf(recorded);
    if (text !== undefined)
      troubles = [...troubles.filter((before) => before.text !== text), { at: recorded.at, text }];
    if (recorded.event.type === 'OsieStarted') kernelAt = kernelStart(recorded.at, recorded.event.data.uptimeSeconds);
    row = next;
  }
  return row && row.steps.length > 0 ? [...ways, { row, troubles, kernelAt, events: events.slice(begin) }] : ways;
}

/** Steps fall off the front of a very long way; that is no power-on. */
function isNewWay(before: MachineRow, after: MachineRow | undefined): boolean {
  return (after?.steps.length ?? 0) < before.steps.length || after?.steps.length === 1;
}

function isOfMachine(recorded: Recorded<AnyEvent>): recorded is Recorded<AnyEvent> & Recorded<MachineEvent> {
  return machineList.aggregates.some((aggregate) => aggregate === recorded.aggregate);
}

function troubleOf(recorded: Recorded<MachineEvent>): string | undefined {
  const { event } = recorded;
  if (event.type === 'BootRequestFailed') return wasServed(event.data) ? undefined : failedText(event.data);
  if (event.type === 'LeaseRefused') return `DHCP refused ${event.data.requested}: ${event.data.reason}`;
  if (event.type === 'LeaseEnded') return tell(recorded, () => undefined).text;
  if (event.type !== 'LeaseDeclined') return undefined;
  return `the machine declined ${event.data.ip}: another one uses it${event.data.message && ` (${event.data.message})`}`;
}

/** `replacedAt`: when the machine began anew. */
function toAttempt(way: Way, replacedAt: string | undefined, evidence: BootEvidence): BootAttempt {
  const { row, troubles, kernelAt } = way;
  const replaced = replacedAt === undefined ? undefined : 'replaced';
  const [first] = row.steps;
  const startedAt = first?.at ?? row.updatedAt;
  const since = (at: string) => (Date.parse(at) - Date.parse(startedAt)) / 1000;
  const steps = withKernel(row.steps, kernelAt).map((each) => ({ ...each, seconds: since(each.at) }));
  const arrived = arrivedAt(row);
  const next = arrived === undefined && replaced === undefined ? nextStep(row, evidence.duration) : null;
  const outcome = arrived ?? replaced ?? (isOverdue(row, next, evidence.now) ? 'stopped' : 'under-way');
  const isStuck = outcome === 'stopped' || outcome === 'replaced';
  return {
    ...{ startedAt, steps, troubles, outcome, next },
    verdict: verdictOf(row, outcome, next, evidence.now),
    hint: isStuck ? (troubles.at(-1)?.text ?? hintFor(way, replacedAt ?? evidence.now)) : null,
  };
}

function kernelStart(at: string, uptimeSeconds: number): string {
  return new Date(Date.parse(at) - uptimeSeconds * 1000).toISOString();
}

/** Before the init that told of it, and after all that was seen before: the clocks of two machines are never quite the same. */
function withKernel(
  steps: MachineRow['steps'],
  kernelAt: string | undefined,
): readonly { readonly step: AttemptStep; readonly at: string; readonly detail: string }[] {
  const index = steps.findLastIndex(({ step }) => step === 'osie');
  const before = steps[index - 1]?.at ?? '';
  if (kernelAt === undefined || index === -1) return steps;
  const at = kernelAt > before ? kernelAt : before;
  return [...steps.slice(0, index), { step: 'kernel', at, detail: 'started' }, ...steps.slice(index)];
}

function arrivedAt({ step, steps }: MachineRow): 'worker' | 'disk' | 'own-script' | undefined {
  if (step === 'worker' || step === 'disk') return step;
  // What it fetches from here on is for whom the script handed it to.
  return steps.findLast(({ detail }) => detail.endsWith(' script'))?.detail === 'custom script'
    ? 'own-script'
    : undefined;
}

/** The step that machines most often reach from where this one is. */
function nextStep({ step }: MachineRow, duration: BootEvidence['duration']): BootAttempt['next'] {
  if (step === 'off') return null;
  return bootSteps
    .slice(bootSteps.indexOf(step) + 1)
    .map((to) => ({ step: to, usual: usualOf(duration(durationKeys.step(step, to))) }))
    .reduce<BootAttempt['next']>(
      (best, { step: to, usual }) => (usual && usual.count > (best?.usual.count ?? 0) ? { step: to, usual } : best),
      null,
    );
}

/** Seconds since the machine reached the step that it is at. */
function secondsAt({ step, steps, updatedAt }: MachineRow, now: string): number {
  const reached = steps[steps.findLastIndex((done) => done.step !== step) + 1]?.at ?? updatedAt;
  return (Date.parse(now) - Date.parse(reached)) / 1000;
}

function isOverdue(row: MachineRow, next: BootAttempt['next'], now: string): boolean {
  const limit = next ? next.usual.p90 * overdue.factor + overdue.seconds : patienceSeconds;
  return secondsAt(row, now) > limit;
}

function verdictOf(row: MachineRow, outcome: BootAttempt['outcome'], next: BootAttempt['next'], now: string): string {
  const last = row.steps.at(-1)?.at ?? row.updatedAt;
  const ago = `${durationText((Date.parse(now) - Date.parse(last)) / 1000)} ago`;
  const normally = next ? `, normally ${next.step} follows after ${took(next.usual.median)}` : '';
  switch (outcome) {
    case 'worker':
      return `its worker came up ${ago}`;
    case 'disk':
      return isHome(row) ? `its own system called back ${ago}` : `it was told to boot its own disk ${ago}; ${notHeard}`;
    case 'own-script':
      return `it was handed its own script ${ago}`;
    case 'replaced':
      return `got as far as ${row.step}, then began anew`;
    case 'stopped':
      return `stopped after ${row.step} ${ago}${normally}`;
    case 'under-way':
      return `reached ${row.step} ${ago}${normally}`;
  }
}

/** What to look at when a machine got as far as this and no further. */
function hintFor({ row: { step, steps, ip, bootFiles }, events }: Way, until: string): string {
  const detail = steps.at(-1)?.detail ?? '';
  switch (step) {
    case 'off':
    case 'dhcp':
      return `its firmware has an address (${ip}) and fetched nothing: can it reach TFTP (UDP 69) and HTTP of boots from there?`;
    case 'tftp':
      return 'its network boot program went out whole and asked for nothing: does it know the network card, and can it reach HTTP of boots?';
    case 'http': {
      const kernel = bootFiles.some(({ role }) => role === 'kernel' || role === 'initramfs');
      if (detail.endsWith(' script') || !kernel)
        return 'it has its script and did not fetch all that the script names: is HTTP of boots slow or cut off?';
      return 'kernel and initramfs went out and nothing came up: look at its console; too little memory, or no driver for the network card?';
    }
    case 'osie':
      return `its in-memory OS is up and the worker has not enrolled${tokenText(events, until)}: can it reach HTTPS of tink-server, and is its clock right?`;
    default:
      return 'look at its console';
  }
}

function tokenText(events: Way['events'], until: string): string {
  const script = events.findLastIndex(({ event }) => event.type === 'BootScriptServed');
  const expiresAt = script === -1 ? null : scriptTokenExpiry(events.slice(script));
  return expiresAt !== null && expiresAt <= until ? `, and its one-time token expired at ${expiresAt}` : '';
}
