import type { Event } from '@tinkerbell/events';

/** The rules of one aggregate. Neither function reads a clock, makes an id, awaits or logs: time and ids come in on the command. */
export interface Decider<C, S, E extends Event> {
  readonly initial: S;
  /** The facts that follow from the command; none when it was done before. Throws a DomainError when a rule says no. */
  decide(command: C, state: S): readonly E[];
  evolve(state: S, event: E): S;
  /** Of a large state: the same, of events that are stored. It takes the place of all before; on those nothing is decided any more. */
  settle?(state: S): S;
}

/** The state after these events. */
export function fold<C, S, E extends Event>(
  decider: Decider<C, S, E>,
  events: Iterable<E>,
  from: S = decider.initial,
): S {
  let state = from;
  for (const event of events) state = decider.evolve(state, event);
  return state;
}

/** For the default branch of an exhaustive switch. */
export function assertNever(value: never): never {
  throw new Error(`not handled: ${JSON.stringify(value)}`);
}
