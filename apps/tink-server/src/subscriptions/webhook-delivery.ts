import { subscriptionDecider, type SubscriptionCommand } from '@tinkerbell/domain';
import { type EventStore, handle } from '@tinkerbell/event-store';
import { type Delivery, durableName, pause, type PublishedStream, subjects } from '@tinkerbell/messaging';
import type { SubscriptionRow } from '@tinkerbell/projections';
import { type CloudEvent, fromCeHeaders } from '@tinkerbell/public-events';
import { ServerLogger } from '../log';
import { backOffMs, maxAttempts } from './back-off';
import { isWanted } from './is-wanted';
import type { Posted, WebhookSender } from './webhook-client';
import type { WebhookSecrets } from './webhook-secrets';

/** Time and chance, so that a test need not wait. */
export interface DeliveryClock {
  /** Resolves after so many milliseconds or when the signal aborts. */
  wait(milliseconds: number, signal: AbortSignal): Promise<void>;
  /** 0 to 1. */
  random(): number;
}
export const systemClock: DeliveryClock = { wait: pause, random: Math.random };

export interface DeliveryPorts {
  readonly store: EventStore;
  readonly stream: PublishedStream;
  readonly secrets: WebhookSecrets;
  readonly sender: WebhookSender;
  readonly clock: DeliveryClock;
}

const holdMs = 4_000;
const troubleMs = 2_000;

/**
 * Sends the events of one subscription to its webhook, one after the other, each at least once, until aborted or the receiver is gone. An
 * event that is not taken after all tries becomes a dead letter in the log, and the next one goes out.
 */
export class WebhookDelivery {
  private readonly logger = new ServerLogger('webhook');

  constructor(
    private readonly ports: DeliveryPorts,
    private readonly row: SubscriptionRow & { readonly webhook: { readonly url: string } },
  ) {}

  async run(signal: AbortSignal): Promise<void> {
    const { name, incarnation } = this.row;
    const stop = new AbortController();
    const all = AbortSignal.any([signal, stop.signal]);
    const trouble = (reason: string) => this.logger.debug(`${name}: ${reason}`);
    for await (const delivery of this.ports.stream.deliveries(durableName(name, incarnation), all, trouble)) {
      const holding = setInterval(() => delivery.hold(), holdMs);
      try {
        if ((await this.take(delivery, signal)) === 'acknowledge') await delivery.acknowledge();
        else {
          stop.abort(); // first, or the server hands it to us once more
          delivery.release();
        }
      } catch (error) {
        this.logger.warn(`${name}: delivery waits: ${String(error)}`);
        await this.ports.clock.wait(troubleMs, signal);
        delivery.release();
      } finally {
        clearInterval(holding);
      }
    }
  }

  private async take(delivery: Delivery, signal: AbortSignal): Promise<'acknowledge' | 'stop'> {
    const event = fromCeHeaders((header) => delivery.header(header), delivery.text());
    if (!isWanted(event, this.row.from)) return 'acknowledge';
    const { posted, attempts } = await this.send(event, signal);
    if (posted === undefined) return 'stop';
    if (posted.ok) return 'acknowledge';
    if (posted.status === 410) {
      const reason = 'the receiver answered 410 Gone';
      await this.record(`gone:${event.id}`, { type: 'DisableSubscription', name: this.row.name, reason });
      return 'stop';
    }
    const { status, reason } = posted;
    const letter = { eventId: event.id, eventType: event.type, attempts, status, reason };
    await this.record(`dead:${event.id}`, { type: 'RecordDeadLetter', ...letter });
    this.logger.warn(`${this.row.name}: ${event.id} is a dead letter after ${attempts} tries: ${reason}`);
    return 'acknowledge';
  }

  private async send(
    event: CloudEvent,
    signal: AbortSignal,
  ): Promise<{ readonly posted: Posted | undefined; readonly attempts: number }> {
    const { secrets, sender, clock } = this.ports;
    const { name, webhook } = this.row;
    for (let attempt = 1; ; attempt++) {
      const secret = await secrets.get(name);
      if (secret === undefined) throw new Error('its secret is missing: put the subscription again with a new one');
      const posted = await sender.post(webhook.url, secret, event, signal);
      if (signal.aborted) return { posted: posted.ok ? posted : undefined, attempts: attempt };
      if (posted.ok || posted.status === 410 || attempt === maxAttempts) return { posted, attempts: attempt };
      const waitMs = backOffMs(attempt, clock.random(), posted.retryAfterMs);
      this.logger.debug(`${name}: ${event.id} ${posted.reason}, again in ${waitMs} ms`);
      await clock.wait(waitMs, signal);
      if (signal.aborted) return { posted: undefined, attempts: attempt };
    }
  }

  private async record(what: string, command: SubscriptionCommand): Promise<void> {
    const { name, incarnation, position } = this.row;
    const metadata = {
      id: `subscription:${name}:${incarnation}:${position}:${what}`,
      actor: 'reactor:webhook-delivery',
    };
    await handle(this.ports.store, subscriptionDecider, subjects.stream('subscription', name), command, metadata);
  }
}
