import { ConflictError, formatMac, InvalidError, NotFoundError, NotLeasedError } from '@tinkerbell/domain';
import {
  type EndAnswer,
  type EndedOne,
  type EndRequest,
  isSubjectToken,
  type LeaseEnds,
  type SeenOne,
} from '@tinkerbell/messaging';
import { type Caller, checkedKey } from '../commands/caller';
import type { ReadSide } from '../read-side';

export interface EndWish {
  /** Lease pool of the boots (BOOTS_POOL); its IPv6 leases are in `<pool>-v6`. undefined: the one that has the address. */
  readonly pool: string | undefined;
  /** null: whatever it is. */
  readonly seen: SeenOne | null;
  readonly dryRun: boolean;
}

/** `mac`: with colons. */
export interface Ended extends EndedOne {
  readonly leasePool: string;
  readonly dryRun: boolean;
}

interface Held {
  readonly leasePool: string;
  readonly lease: EndedOne;
}

type Refused = Extract<EndAnswer, { readonly result: 'refused' }>;

/** Gives addresses free before their time: the active boots of the lease pool that has one does it. */
export class LeaseEnding {
  constructor(
    private readonly reads: Pick<ReadSide, 'dhcpServers'>,
    private readonly ends: Pick<LeaseEnds, 'ask'>,
  ) {}

  /**
   * Throws NotLeasedError, ConflictError when it is not what was seen, InvalidError when several lease pools have it, and
   * BusUnavailableError when the boots that may know does not answer.
   */
  async end(ip: string, { pool, seen, dryRun }: EndWish, caller: Caller): Promise<Ended> {
    const { leasePool, lease } = await this.#find(ip, pool, seen, caller);
    if (!dryRun) {
      const { was, mac, clientId } = lease;
      const answer = await this.ends.ask(leasePool, { ip, seen: { was, mac, clientId }, dryRun, ...named(caller) });
      if (answer.result === 'refused') throw refusal(ip, [answer]);
    }
    return { ...lease, mac: lease.mac && formatMac(lease.mac), leasePool, dryRun };
  }

  async #find(ip: string, pool: string | undefined, seen: SeenOne | null, caller: Caller): Promise<Held> {
    const pools = this.#pools(pool);
    const request = { ip, seen, dryRun: true, ...named(caller) };
    const asked = await Promise.allSettled(pools.map((leasePool) => this.ends.ask(leasePool, request)));
    const answers = asked.map((each) => (each.status === 'fulfilled' ? each.value : undefined));
    const held = pools.flatMap((leasePool, i): readonly Held[] => {
      const answer = answers[i];
      return answer?.result === 'ended' ? [{ leasePool, lease: answer.lease }] : [];
    });
    const [first, second] = held;
    if (first && second) {
      const names = held.map(({ leasePool }) => leasePool).join(', ');
      throw new InvalidError('pool', `${ip} is in use in several lease pools: name one of ${names}`);
    }
    if (first) return first;
    const refused = answers.flatMap((answer) => (answer?.result === 'refused' ? [answer] : []));
    const silent = asked.find((each) => each.status === 'rejected');
    // Who says no knows of this address; who says that it is none of his does not, and the silent one might.
    if (silent && refused.every(({ reason }) => reason === 'outside')) throw silent.reason;
    throw refusal(ip, refused);
  }

  #pools(pool: string | undefined): readonly string[] {
    const known = this.reads.dhcpServers.list().map(({ leasePool }) => leasePool);
    const wanted = known.filter((name) => pool === undefined || name === pool || name === `${pool}-v6`);
    if (wanted.length > 0) return wanted;
    if (pool === undefined)
      throw new NotFoundError('lease pool', '', 'there is no lease pool: boots has not run yet with this server');
    if (!isSubjectToken(pool)) throw new NotFoundError('lease pool', pool);
    return [pool];
  }
}

function named({ actor, key }: Caller): Pick<EndRequest, 'actor' | 'key'> {
  return { actor, key: key === undefined ? null : checkedKey(key) };
}

/** Of the one that knows most. */
function refusal(ip: string, refused: readonly Refused[]): Error {
  const [best] = (['other', 'none', 'outside'] as const).flatMap((reason) =>
    refused.filter((each) => each.reason === reason),
  );
  const message = best?.message ?? '';
  return best?.reason === 'other' ? new ConflictError(message, 'ip') : new NotLeasedError(ip, message);
}
