import { InvalidError, NotFoundError, subscriptionDecider } from '@tinkerbell/domain';
import { type EventStore, handle } from '@tinkerbell/event-store';
import type { SubscriptionRow } from '@tinkerbell/projections';
import { type CloudEvent, parseEventId, toPublication } from '@tinkerbell/public-events';
import { metadataFor, streamOf, type Caller } from '../commands/caller';
import { commitAt } from './commit-at';
import type { WebhookSender } from './webhook-client';
import type { WebhookSecrets } from './webhook-secrets';

export interface Redelivered {
  readonly eventId: string;
  readonly ok: boolean;
  readonly status: number | null;
  readonly reason: string;
}

/** Sends events again that a webhook did not take. They are read from the log, which forgets nothing. */
export class DeadLetters {
  constructor(
    private readonly store: EventStore,
    private readonly secrets: WebhookSecrets,
    private readonly sender: WebhookSender,
  ) {}

  /**
   * One try for each, oldest first; `eventId` may be any public event, without it all dead letters. What is taken is no dead letter any
   * more. Ends after the first one that gets no answer at all: the others would not get one either.
   */
  async *redeliver(
    row: SubscriptionRow,
    eventId: string | undefined,
    caller: Caller,
    signal: AbortSignal,
  ): AsyncGenerator<Redelivered> {
    const { name, webhook } = row;
    if (!webhook) throw new InvalidError('name', `subscription ${name} has no webhook to deliver to`);
    const secret = await this.secrets.get(name);
    if (secret === undefined) throw new NotFoundError('secret of subscription', name);
    const ids = eventId === undefined ? row.deadLetters.map((letter) => letter.eventId) : [eventId];
    for (const id of ids) {
      const event = await this.eventOf(id);
      if (signal.aborted) return;
      const { ok, status, reason } = await this.sender.post(webhook.url, secret, event, signal);
      if (ok) {
        const metadata = metadataFor(caller, `subscription.redeliver:${name}:${id}`);
        const command = { type: 'RecordRedelivery', eventId: id } as const;
        await handle(this.store, subscriptionDecider, streamOf('subscription', name), command, metadata);
      }
      yield { eventId: id, ok, status, reason };
      if (status === null) return;
    }
  }

  private async eventOf(id: string): Promise<CloudEvent> {
    const place = parseEventId(id);
    if (!place) throw new InvalidError('event', `${JSON.stringify(id)} is not the id of an event: <position>-<index>`);
    const recorded = (await commitAt(this.store, place.position))?.events[place.index];
    const publication = recorded && toPublication(recorded);
    if (publication) return publication.event;
    throw new NotFoundError('public event', id);
  }
}
