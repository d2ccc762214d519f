import { ConflictError, DomainError, type EndLease } from '@tinkerbell/domain';
import type { DhcpServiceEvent, LeaseEvent } from '@tinkerbell/events';
import type { EndAnswer, EndedOne, EndRequest } from '@tinkerbell/messaging';
import { outside } from '../imports/judge-lease';
import { StandbyError } from '../log/pool-terms';
import type { SharedPool } from '../log/shared-pool';
import { TermOverError } from '../log/stream-writer';
import type { Logger } from '../logger';

export interface EndPorts<C> {
  readonly pool: Pick<SharedPool<C, never>, 'isActive' | 'name' | 'rehearse' | 'submit'>;
  command(end: EndLease): C;
  /** Whether the address is given out here, by a pool or a hardware record. */
  isOurs(ip: string): boolean;
  /** After the command was stored. */
  stored(command: C): void;
  readonly log: Logger;
  readonly clock: () => Date;
}

/** Who did not hear an answer asks again within seconds. */
const mostKept = 1000;

/** Ends leases, and quarantines, by the word of an operator, as long as this instance is the one that writes their pool. */
export class EndDesk<C> {
  /** By the key of their request, oldest first. */
  readonly #ended = new Map<string, EndAnswer>();

  constructor(private readonly ports: EndPorts<C>) {}

  /** undefined: another instance has to answer, or somebody who asks later. */
  async end({ ip, seen, dryRun, actor, key }: EndRequest): Promise<EndAnswer | undefined> {
    const { pool, log, clock } = this.ports;
    if (!pool.isActive) return undefined;
    const before = key === null ? undefined : this.#ended.get(`${actor} ${key} ${ip}`);
    if (before) return before;
    const now = clock().toISOString();
    const command = (what: EndLease['seen']) => this.ports.command({ ip, seen: what, now });
    const [rehearsed] = pool.rehearse([command(seen ?? undefined)]);
    if (rehearsed instanceof DomainError) return this.#refused(ip, rehearsed);
    const lease = endedIn(rehearsed);
    if (dryRun) return { result: 'ended', lease };
    // Others' commands are decided in between: not another's lease than what is told of.
    const { was, mac, clientId } = lease;
    const decided = command({ was, mac, clientId });
    try {
      await pool.submit([decided], actor);
    } catch (error) {
      if (error instanceof StandbyError || error instanceof TermOverError) return undefined;
      if (error instanceof DomainError) return this.#refused(ip, error);
      throw error;
    }
    this.ports.stored(decided);
    log.info(`pool ${pool.name}: ${was === 'bound' ? 'lease' : 'quarantine'} of ${ip} ended by ${actor}`);
    const answer = { result: 'ended', lease } as const;
    if (key !== null) this.#keep(`${actor} ${key} ${ip}`, answer);
    return answer;
  }

  #keep(name: string, answer: EndAnswer): void {
    this.#ended.set(name, answer);
    const [oldest = ''] = this.#ended.keys();
    if (this.#ended.size > mostKept) this.#ended.delete(oldest);
  }

  #refused(ip: string, error: DomainError): EndAnswer {
    if (error instanceof ConflictError) return { result: 'refused', reason: 'other', message: error.message };
    if (this.ports.isOurs(ip)) return { result: 'refused', reason: 'none', message: error.message };
    return { result: 'refused', reason: 'outside', message: outside(ip).message };
  }
}

function endedIn(events: readonly (LeaseEvent | DhcpServiceEvent)[] = []): EndedOne {
  for (const event of events) if (event.type === 'LeaseEnded') return event.data;
  throw new Error('a lease is ended by a LeaseEnded');
}
