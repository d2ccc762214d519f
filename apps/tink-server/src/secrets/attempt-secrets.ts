import { secretsOf } from '@tinkerbell/domain';
import type { EventStore } from '@tinkerbell/event-store';
import { loadWorkflow } from '../workflow/load-workflow';
import type { SecretsReply, SecretsRequest } from '@tinkerbell/messaging';
import type { Secrets } from './secrets';

/** The values for one attempt of an action, to the worker that runs it. Decided on the stream itself. */
export class AttemptSecrets {
  constructor(
    private readonly store: EventStore,
    private readonly secrets: Pick<Secrets, 'resolve'>,
  ) {}

  /** Throws DomainError when the worker may not have them or one is not there, BusUnavailableError. */
  async of(workerId: string, request: SecretsRequest): Promise<SecretsReply> {
    const state = await loadWorkflow(this.store, request.workflowId);
    const names = Object.entries(secretsOf(state, { workerId, ...request }));
    const values = await this.secrets.resolve(names.map(([, name]) => name));
    return { values: Object.fromEntries(names.map(([variable, name]) => [variable, values.get(name) ?? ''])) };
  }
}
