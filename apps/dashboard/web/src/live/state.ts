import type { AddressesView, Change, EventView, MachineView, Snapshot, WorkflowView } from '../../../src/wire';

/** All that the page knows of the system. Never changed in place. */
export interface World {
  readonly machines: Readonly<Record<string, MachineView>>;
  readonly workflows: Readonly<Record<string, WorkflowView>>;
  readonly addresses: AddressesView;
  /** Newest first. */
  readonly events: readonly EventView[];
}

export const maxEvents = 250;

export function fromSnapshot({ machines, workflows, events, addresses }: Snapshot): World {
  return {
    machines: Object.fromEntries(machines.map((each) => [each.id, each])),
    workflows: Object.fromEntries(workflows.map((each) => [each.id, each])),
    addresses,
    events: [...events].reverse().slice(0, maxEvents),
  };
}

export function withChange(world: World, change: Change): World {
  return {
    machines: merge(world.machines, change.machines, change.gone),
    workflows: merge(world.workflows, change.workflows, change.gone),
    addresses: change.addresses ?? world.addresses,
    events:
      change.events.length === 0
        ? world.events
        : [...[...change.events].reverse(), ...world.events].slice(0, maxEvents),
  };
}

function merge<T extends { readonly id: string }>(
  before: Readonly<Record<string, T>>,
  changed: readonly T[],
  gone: readonly string[],
): Readonly<Record<string, T>> {
  const lost = gone.filter((id) => id in before);
  if (changed.length === 0 && lost.length === 0) return before;
  const after = { ...before };
  for (const each of changed) after[each.id] = each;
  for (const id of lost) delete after[id];
  return after;
}
