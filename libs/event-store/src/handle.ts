import type { Decider } from '@tinkerbell/domain';
import type { Event, Metadata } from '@tinkerbell/events';
import { ConcurrencyError, type EventStore, type StreamHead } from './event-store';

export interface Handled {
  /** Of the stream's last commit after the command: what a query passes as `minSeq` to read its own write. */
  readonly position: number;
  /** False when the decider found nothing to do, or the command had been stored before. */
  readonly changed: boolean;
}

/** What has to be done between the decision and its append; the state is the one before the decision, at `head`. A refusal is thrown. */
export type Prepare<S> = (state: S, head: StreamHead) => Promise<void>;

/** Loads the stream, decides, appends; on a lost race reads again, three times at most. */
export async function handle<C, S, E extends Event>(
  store: EventStore,
  decider: Decider<C, S, E>,
  stream: string,
  command: C,
  metadata: Metadata,
  prepare?: Prepare<S>,
): Promise<Handled> {
  for (let attempt = 1; ; attempt++) {
    const { events, head } = await store.read<E>(stream);
    // The store forgets command ids after a while, the stream never: a command that comes again is done, whatever happened since.
    if (events.some((recorded) => recorded.metadata.id === metadata.id)) {
      return { position: head.position, changed: false };
    }
    const state = events.reduce((s, recorded) => decider.evolve(s, recorded.event), decider.initial);
    const decided = decider.decide(command, state);
    if (decided.length === 0) return { position: head.position, changed: false };
    await prepare?.(state, head);
    try {
      const appended = await store.append(stream, decided, { expected: head, metadata });
      return { position: appended.head.position, changed: !appended.duplicate };
    } catch (error) {
      if (!(error instanceof ConcurrencyError) || attempt === 3) throw error;
    }
  }
}
