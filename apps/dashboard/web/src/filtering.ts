import type { AddressesView, EventView, MachineView, Status, Step, StepView, WorkflowView } from '../../src/wire';
import type { World } from './live/state';

export type MachineFilter = 'all' | 'booting' | 'working' | 'disk' | 'off';
export type WorkflowStage = Status | 'paused' | 'cancelling' | 'asking';
export type WorkflowFilter = 'all' | WorkflowStage;

export function machineStage({ step }: MachineView): Exclude<MachineFilter, 'all'> {
  if (step === 'off' || step === 'disk') return step;
  return step === 'worker' ? 'working' : 'booting';
}

/** When each step was reached first; the own disk when its system called home, if it did after it was told to boot. */
export function reachedSteps({ steps }: Pick<MachineView, 'steps'>): ReadonlyMap<Step, StepView> {
  const reached = new Map<Step, StepView>();
  for (const each of steps) {
    const before = reached.get(each.step);
    if (!before || (each.step === 'disk' && before.detail.startsWith('told '))) reached.set(each.step, each);
  }
  return reached;
}

/** What is most worth knowing of a workflow: that a person has to decide something goes before that it runs. */
export function workflowStage({ status, cancelling, paused, notes }: WorkflowView): WorkflowStage {
  if (status !== 'pending' && status !== 'running') return status;
  if (cancelling) return 'cancelling';
  if (notes.some(({ tone }) => tone === 'ask')) return 'asking';
  return paused ? 'paused' : status;
}

/** Every word of the search must be in the text. */
function matches(search: string, ...texts: readonly string[]): boolean {
  const haystack = texts.join(' ').toLowerCase();
  return search
    .toLowerCase()
    .split(/\s+/)
    .every((word) => haystack.includes(word) || haystack.includes(word.replaceAll('-', ':')));
}

const inOrder = new Intl.Collator('en', { numeric: true });

export function findMachines({ machines }: World, search: string): readonly MachineView[] {
  return Object.values(machines)
    .filter(({ hostname, mac, ip, id, step }) => matches(search, hostname, mac, ip, id, step))
    .sort((a, b) => inOrder.compare(a.hostname || a.mac, b.hostname || b.mac));
}

/** Those that need a person first, then running ones, then the newest. */
export function findWorkflows({ workflows, machines }: World, search: string): readonly WorkflowView[] {
  const rank = (each: WorkflowView) => (workflowStage(each) === 'asking' ? 0 : each.status === 'running' ? 1 : 2);
  return Object.values(workflows)
    .filter((each) =>
      matches(
        search,
        each.template,
        each.id,
        each.status,
        workflowStage(each),
        ...each.machines.map((id) => `${machines[id]?.hostname ?? ''} ${machines[id]?.mac ?? ''} ${id}`),
        ...each.actions.map(({ name }) => name),
      ),
    )
    .sort((a, b) => rank(a) - rank(b) || b.createdAt.localeCompare(a.createdAt));
}

export function findAddresses({ addresses }: World, search: string): AddressesView {
  if (search === '') return addresses;
  const { pools, strangers } = addresses;
  return {
    ...addresses,
    pools: pools.filter(({ pool, subnet, ranges, servedBy }) =>
      matches(search, pool, subnet, ...ranges, servedBy ?? ''),
    ),
    strangers: strangers.filter(({ id, hostname, ip, subnet, notServed }) =>
      matches(search, id, hostname, ip, subnet, notServed?.text ?? ''),
    ),
  };
}

export function findEvents({ events }: World, search: string): readonly EventView[] {
  return search === ''
    ? events
    : events.filter(({ subject, text, type, aggregateId }) => matches(search, subject, text, type, aggregateId));
}

export function countBy<T, K extends string>(
  items: readonly T[],
  key: (item: T) => K,
): Readonly<Partial<Record<K, number>>> {
  const counts: Partial<Record<K, number>> = {};
  for (const item of items) counts[key(item)] = (counts[key(item)] ?? 0) + 1;
  return counts;
}

/** The newest workflow of each machine. */
export function latestWorkflows({ workflows }: World): Readonly<Record<string, WorkflowView>> {
  const latest: Record<string, WorkflowView> = {};
  for (const workflow of Object.values(workflows)) {
    for (const id of workflow.machines) {
      const known = latest[id];
      if (!known || known.createdAt < workflow.createdAt) latest[id] = workflow;
    }
  }
  return latest;
}
