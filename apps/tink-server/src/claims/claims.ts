import { createHash } from 'node:crypto';
import { claimDecider, fold, type Decider } from '@tinkerbell/domain';
import type { ClaimEvent, ClaimKind, Event, Metadata } from '@tinkerbell/events';
import { ConcurrencyError, handle, type EventStore, type StreamHead } from '@tinkerbell/event-store';
import { pause, subjects } from '@tinkerbell/messaging';

/** One value that only one thing at a time may have. */
export interface Wanted {
  readonly kind: ClaimKind;
  readonly value: string;
}

/** The things that compete for such values, each with a stream of its own. */
export interface Owners<C, S, E extends Event> {
  readonly decider: Decider<C, S, E>;
  /** Their command that changes nothing and appends a commit. */
  readonly fence: C;
  stream(owner: string): string;
  has(state: S, wanted: Wanted): boolean;
  /** What to tell whoever came too late. */
  conflict(wanted: Wanted, owner: string): Error;
}

/** How long a claim is taken for work that is going on. Afterwards its owner is fenced: it crashed, or is stopped and must start over. */
const patienceMs = 3_000;
const lookAgainMs = 50;

/**
 * Keeps values unique over many streams and any number of servers (ADR 0008). Whoever is about to append a commit that gives it a value
 * first claims it in the value's own stream, for exactly that commit: the claim names the owner's last position, and the commit is
 * appended with that position as expectation. So a claim whose owner's stream has moved on is spent, and one that stands can be ended by
 * making the stream move on. Nothing has to be released, and no clock decides what is right.
 */
export class Claims<C, S, E extends Event> {
  constructor(
    private readonly store: EventStore,
    private readonly owners: Owners<C, S, E>,
    private readonly options: { readonly patienceMs?: number } = {},
  ) {}

  /** Claims all of them for the commit that follows `head` in the owner's stream, in an order in which no two wait for each other. */
  async take(owner: string, head: StreamHead, wanted: readonly Wanted[], metadata: Metadata): Promise<void> {
    const keyed = wanted.map((one) => ({ one, stream: streamOf(one) }));
    keyed.sort((a, b) => (a.stream < b.stream ? -1 : 1));
    for (const { one, stream } of keyed) await this.takeOne(owner, head, one, stream, metadata);
  }

  private async takeOne(
    owner: string,
    head: StreamHead,
    wanted: Wanted,
    stream: string,
    metadata: Metadata,
  ): Promise<void> {
    let waiting = { claim: '', since: 0 };
    for (;;) {
      const { events, head: claimHead } = await this.store.last<ClaimEvent>(stream);
      const current = fold(
        claimDecider,
        events.map(({ event }) => event),
      );
      if (current && current.owner !== owner && !(await this.isDead(current, wanted))) {
        const claim = `${current.owner} ${current.ownerPosition}`;
        if (claim !== waiting.claim) waiting = { claim, since: performance.now() };
        if (performance.now() - waiting.since < (this.options.patienceMs ?? patienceMs)) await pause(lookAgainMs);
        else await this.fence(current, stream, metadata);
        continue;
      }
      const command = {
        ...{ type: 'TakeClaim' as const, ...wanted, owner, ownerPosition: head.position },
        ...(current && { insteadOf: current }),
      };
      const decided = claimDecider.decide(command, current);
      // A command id is unique in the log, and the same command may claim again after a lost race.
      const id = `claim:${stream}:${claimHead.position}:${owner}:${head.position}`;
      try {
        await this.store.append(stream, decided, { expected: claimHead, metadata: { ...metadata, id: shortened(id) } });
        return;
      } catch (error) {
        if (!(error instanceof ConcurrencyError)) throw error;
      }
    }
  }

  /** Throws the conflict when its owner has the value; otherwise whether the claim is spent. */
  private async isDead(
    claim: { readonly owner: string; readonly ownerPosition: number },
    wanted: Wanted,
  ): Promise<boolean> {
    const { decider, has, conflict } = this.owners;
    const { events, head } = await this.store.read<E>(this.owners.stream(claim.owner));
    const state = fold(
      decider,
      events.map(({ event }) => event),
    );
    if (has(state, wanted)) throw conflict(wanted, claim.owner);
    // Not "another position": a replica that is behind may show an older one.
    return head.position > claim.ownerPosition;
  }

  private async fence(
    claim: { readonly owner: string; readonly ownerPosition: number },
    stream: string,
    metadata: Metadata,
  ): Promise<void> {
    const { decider, fence } = this.owners;
    // The same for all who find this claim: one commit is enough.
    const id = shortened(`fence:${stream}:${claim.owner}:${claim.ownerPosition}`);
    await handle(this.store, decider, this.owners.stream(claim.owner), fence, { ...metadata, id });
  }
}

function streamOf({ kind, value }: Wanted): string {
  const hash = createHash('sha256').update(value).digest('hex').slice(0, 32);
  return subjects.stream('claim', `${kind}-${hash}`);
}

const shortened = (text: string) => `claim:${createHash('sha256').update(text).digest('hex').slice(0, 32)}`;
