import { ConflictError, InvalidError, NotFoundError, subscriptionDecider } from '@tinkerbell/domain';
import type { SubscriptionCreated, SubscriptionSpec } from '@tinkerbell/events';
import { type EventStore, handle, type Handled } from '@tinkerbell/event-store';
import { isSubjectToken } from '@tinkerbell/messaging';
import type { SubscriptionRow } from '@tinkerbell/projections';
import { FilterError, filterSubjects } from '@tinkerbell/public-events';
import { metadataFor, streamOf, type Caller } from '../commands/caller';
import { Turns } from '../commands/turns';
import type { ReadSide } from '../read-side';
import { UnsealError } from '../secrets/seal';
import { commitAt } from './commit-at';
import type { SubscriptionKeeper } from './subscription-keeper.reactor';
import { checkedWebhookSecret, newWebhookSecret } from './webhook-signature';
import { type AddressTest, checkedTarget } from './webhook-target';
import type { WebhookSecrets } from './webhook-secrets';

export interface SubscriptionRequest {
  readonly filters?: readonly string[];
  readonly start?: string;
  readonly webhook?: { readonly url: string; readonly secret?: string };
}

export interface SubscriptionWritten extends Handled {
  readonly name: string;
  /** Signs the webhook. Told once, when it was made or changed. */
  readonly secret?: string;
}

/** Each is a durable consumer of JetStream, of which a stream may have 1 000 by default. */
const maxSubscriptions = 500;
const clockMarginMs = 300_000;

/** Writes subscriptions; writers take turns because a secret lies beside the log. */
export class SubscriptionCommands {
  private readonly turns = new Turns();

  constructor(
    private readonly store: EventStore,
    private readonly reads: ReadSide,
    private readonly keeper: SubscriptionKeeper,
    private readonly secrets: WebhookSecrets,
    private readonly may: AddressTest,
  ) {}

  /** Throws InvalidError, ConflictError. */
  put(name: string, request: SubscriptionRequest, caller: Caller): Promise<SubscriptionWritten> {
    if (!isSubjectToken(name)) throw new InvalidError('name', 'name must be 1 to 64 of A-Z a-z 0-9 _ -');
    const given = request.webhook?.secret;
    const chosen = given === undefined ? undefined : checkedWebhookSecret(given);
    const spec = this.specOf(request);
    return this.turns.run(async () => {
      await this.reads.atLeast(await this.store.lastPosition());
      const existing = this.reads.subscriptions.get(name);
      if (!existing && this.reads.subscriptions.count() >= maxSubscriptions) {
        throw new ConflictError(`there are ${maxSubscriptions} subscriptions, as many as there may be`);
      }
      const from = await this.fromOf(request.start ?? 'now');
      const secret = spec.webhook ? await this.newSecret(name, existing, chosen) : undefined;
      // Before the fact that needs it; an existing subscription keeps its own until the change is decided.
      if (!existing && secret !== undefined) await this.secrets.put(name, secret);
      const start = request.start === undefined ? {} : { start: request.start };
      const command = { type: 'PutSubscription', name, spec, ...start, from } as const;
      const metadata = metadataFor(caller, `subscription.put:${name}`);
      const handled = await handle(this.store, subscriptionDecider, streamOf('subscription', name), command, metadata);
      if (existing && secret !== undefined) await this.secrets.put(name, secret);
      await this.reads.atLeast(handled.position);
      await this.keeper.ensure(this.find(name));
      return { name, ...handled, ...(secret === undefined ? {} : { secret }) };
    });
  }

  delete(name: string, caller: Caller): Promise<SubscriptionWritten> {
    return this.turns.run(async () => {
      const metadata = metadataFor(caller, `subscription.delete:${name}`);
      const command = { type: 'DeleteSubscription', name } as const;
      const handled = await handle(this.store, subscriptionDecider, streamOf('subscription', name), command, metadata);
      await this.reads.settle(handled.position);
      await this.secrets.delete(name);
      return { name, ...handled };
    });
  }

  find(name: string): SubscriptionRow {
    const row = this.reads.subscriptions.get(name);
    if (!row) throw new NotFoundError('subscription', name);
    return row;
  }

  /** undefined: the one that there is stays. */
  private async newSecret(
    name: string,
    existing: SubscriptionRow | undefined,
    chosen: string | undefined,
  ): Promise<string | undefined> {
    if (chosen !== undefined) return chosen;
    return existing?.webhook && (await this.isReadable(name)) ? undefined : newWebhookSecret();
  }

  private async isReadable(name: string): Promise<boolean> {
    try {
      return (await this.secrets.get(name)) !== undefined;
    } catch (error) {
      if (error instanceof UnsealError) return false;
      throw error;
    }
  }

  private specOf({ filters = [], webhook }: SubscriptionRequest): SubscriptionSpec {
    try {
      filterSubjects(filters);
    } catch (error) {
      if (error instanceof FilterError)
        throw new InvalidError(`filters[${error.index}]`, `filters[${error.index}]: ${error.message}`);
      throw error;
    }
    return { filters, webhook: webhook ? { url: checkedTarget(webhook.url, this.may) } : null };
  }

  private async fromOf(start: string): Promise<SubscriptionCreated['data']['from']> {
    const epoch = new Date(0).toISOString();
    if (start === 'first') return { position: 0, time: epoch };
    // The clock of the log may be another one than ours; the position is exact.
    const about = new Date(Date.now() - clockMarginMs).toISOString();
    if (start === 'now') return { position: (await this.store.lastPosition()) + 1, time: about };
    if (/^\d{1,15}$/.test(start)) {
      const position = Number(start);
      const at = position < 1 ? epoch : (await commitAt(this.store, position))?.at;
      return { position, time: at ?? about };
    }
    const at = /^\d{4}-\d\d-\d\d(T|$)/.test(start) ? Date.parse(start) : NaN;
    if (!Number.isNaN(at)) return { position: 0, time: new Date(at).toISOString() };
    throw new InvalidError(
      'start',
      `start must be now, first, a position or an ISO 8601 time, got ${JSON.stringify(start)}`,
    );
  }
}
