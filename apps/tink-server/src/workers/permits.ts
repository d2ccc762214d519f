import { ForbiddenError, NotFoundError, workflowDecider } from '@tinkerbell/domain';
import { handle, type EventStore } from '@tinkerbell/event-store';
import type { PermitReply, PermitRequest } from '@tinkerbell/messaging';
import { streamOf } from '../commands/caller';
import type { ReadSide } from '../read-side';
import { loadWorkflow } from '../workflow/load-workflow';
import { replacementOf } from './standing';

/** Seconds from the grant within which the container has to run. */
const permitSeconds = 60;

/** Permission to run a destructive action: given once for an attempt, recorded before it is answered. */
export class Permits {
  constructor(
    private readonly store: EventStore,
    private readonly reads: Pick<ReadSide, 'hardware'>,
    private readonly now: () => number = Date.now,
  ) {}

  /** Throws DomainError when there is none, or none any more: then nothing may run. */
  async grant(workerId: string, { workflowId, key, ...request }: PermitRequest): Promise<PermitReply> {
    const replaced = await replacementOf(this.store, this.reads, workerId, key);
    if (replaced !== undefined) throw new ForbiddenError(replaced);
    const stream = streamOf('workflow', workflowId);
    const expiresAt = new Date(this.now() + permitSeconds * 1000).toISOString();
    const { index, attempt, bootId, nonce } = request;
    const command = { type: 'GrantPermit', workerId, ...request, expiresAt } as const;
    const metadata = {
      id: `${workflowId}:${index}:${attempt}:permit:${bootId}:${nonce}`,
      actor: `worker:${workerId}`,
      correlationId: workflowId,
    };
    await handle(this.store, workflowDecider, stream, command, metadata);
    const state = await loadWorkflow(this.store, workflowId);
    const permit = state.status === 'none' ? null : state.actions[index]?.permit;
    const isTheirs = permit?.attempt === attempt && permit.nonce === nonce && permit.bootId === bootId;
    if (!isTheirs) throw new NotFoundError('permit', `${workflowId}:${index}:${attempt}`);
    const seconds = Math.max(0, (Date.parse(permit.expiresAt) - this.now()) / 1000);
    return { expiresAt: permit.expiresAt, seconds };
  }
}
