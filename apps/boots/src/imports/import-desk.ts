import { DomainError } from '@tinkerbell/domain';
import type { ForeignLease, ImportAnswer, ImportedOne, ImportRequest } from '@tinkerbell/messaging';
import { maxImported } from '@tinkerbell/messaging';
import type { Logger } from '../logger';
import { StandbyError } from '../log/pool-terms';
import type { SharedPool } from '../log/shared-pool';
import { TermOverError } from '../log/stream-writer';
import type { Refusal } from './judge-lease';

export interface ImportPorts<C> {
  readonly pool: Pick<SharedPool<C, never>, 'isActive' | 'name' | 'rehearse' | 'submit'>;
  judge(lease: ForeignLease, now: string): C | Refusal;
  /** After commands were stored. */
  stored(commands: readonly C[]): void;
  readonly log: Logger;
  readonly clock: () => Date;
}

interface Judged<C> {
  readonly ip: string;
  readonly command: C | undefined;
  readonly one: ImportedOne;
}

/** Takes leases of another DHCP server into a pool, as long as this instance is the one that writes it. */
export class ImportDesk<C> {
  constructor(private readonly ports: ImportPorts<C>) {}

  /** undefined: another instance has to answer, or somebody who asks later. */
  async take({ leases, dryRun, actor }: ImportRequest): Promise<ImportAnswer | undefined> {
    const { pool, log } = this.ports;
    if (!pool.isActive) return undefined;
    if (leases.length > maxImported) throw new RangeError(`${leases.length} leases at a time, at most ${maxImported}`);
    const judged = this.#judge(leases);
    if (dryRun) return { leases: judged.map(({ one }) => one) };
    try {
      const answer = { leases: await Promise.all(judged.map((each) => this.#store(each, actor))) };
      const taken = answer.leases.filter(({ result }) => result !== 'passed-over' && result !== 'already').length;
      log.info(`pool ${pool.name}: ${taken} of ${leases.length} leases of another server taken in, for ${actor}`);
      return answer;
    } catch (error) {
      if (error instanceof StandbyError || error instanceof TermOverError) return undefined;
      throw error;
    }
  }

  #judge(leases: readonly ForeignLease[]): readonly Judged<C>[] {
    const now = this.ports.clock().toISOString();
    const judged = leases.map((lease) => ({ ip: lease.ip, verdict: this.ports.judge(lease, now) }));
    const commands = judged.flatMap(({ verdict }) => (isRefusal(verdict) ? [] : [verdict]));
    const rehearsed = this.ports.pool.rehearse(commands).values();
    return judged.map(({ ip, verdict }) => {
      if (isRefusal(verdict)) return { ip, command: undefined, one: { ip, result: 'passed-over', ...verdict } };
      const events = rehearsed.next().value ?? [];
      if (events instanceof DomainError) return { ip, command: undefined, one: refused(ip, events) };
      const result = resultOf(events);
      return { ip, command: result === 'already' ? undefined : verdict, one: { ip, result } };
    });
  }

  /** All that are stored in the same turn share a commit; one that is refused by now does not harm the others. */
  async #store({ ip, command, one }: Judged<C>, actor: string): Promise<ImportedOne> {
    if (command === undefined) return one;
    try {
      await this.ports.pool.submit([command], actor);
    } catch (error) {
      if (error instanceof DomainError) return refused(ip, error);
      throw error;
    }
    this.ports.stored([command]);
    return one;
  }
}

function isRefusal(verdict: unknown): verdict is Refusal {
  return typeof verdict === 'object' && verdict !== null && 'reason' in verdict;
}

function resultOf(events: readonly { readonly type: string }[]): 'bound' | 'extended' | 'quarantined' | 'already' {
  const types = events.map(({ type }) => type);
  if (types.includes('LeaseBound')) return 'bound';
  if (types.includes('LeaseRenewed')) return 'extended';
  return types.includes('LeaseConflictFound') ? 'quarantined' : 'already';
}

function refused(ip: string, { field, message }: DomainError): ImportedOne {
  const reason = field === 'client' ? 'elsewhere' : field === 'expiresAt' ? 'expired' : 'held';
  return { ip, result: 'passed-over', reason, message };
}
