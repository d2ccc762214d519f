import type { Event } from '@tinkerbell/events';
import { expect } from 'vitest';

/** The shape of a decider; a copy of the port, because testing may import events only. */
interface Decides<C, S, E extends Event> {
  readonly initial: S;
  decide(command: C, state: S): readonly E[];
  evolve(state: S, event: E): S;
}

export interface Outcome<E extends Event> {
  /** Exactly these events. */
  then(...events: readonly E[]): void;
  thenNothing(): void;
  /** A DomainError with this code, and this in its message. */
  thenThrows(code: string, message?: string | RegExp): void;
}

/** `given(events…).when(command).then(events…)`: the rule of a decider as a sentence. */
export function specify<C, S, E extends Event>(decider: Decides<C, S, E>) {
  return (...given: readonly E[]) => ({
    when(command: C): Outcome<E> {
      const state = given.reduce((s, event) => decider.evolve(s, event), decider.initial);
      return {
        then: (...events) => expect(decider.decide(command, state)).toEqual(events),
        thenNothing: () => expect(decider.decide(command, state)).toEqual([]),
        thenThrows(code, message = '') {
          const error = refusal(() => decider.decide(command, state));
          expect(error).toMatchObject({ code });
          if (typeof message === 'string') expect(error.message).toContain(message);
          else expect(error.message).toMatch(message);
        },
      };
    },
  });
}

function refusal(decide: () => unknown): Error {
  let decided: unknown;
  try {
    decided = decide();
  } catch (error) {
    if (error instanceof Error) return error;
    throw error;
  }
  throw new Error(`expected a refusal, got ${JSON.stringify(decided)}`);
}
