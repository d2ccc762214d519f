import { PublishedStream } from '@tinkerbell/messaging';
import { allowedNetworks } from '../compat/allowed-networks';
import type { Metrics } from '../metrics';
import type { TinkServerPorts } from '../ports';
import { PublisherReactor } from '../publishing/publisher.reactor';
import type { ReadSide } from '../read-side';
import type { TinkServerConfig } from '../tink-server.config';
import { DeadLetters } from './dead-letters';
import { SubscriptionCommands } from './subscription-commands';
import { SubscriptionFeed } from './subscription-feed';
import { SubscriptionKeeper } from './subscription-keeper.reactor';
import { WebhookClient } from './webhook-client';
import { systemClock } from './webhook-delivery';
import type { WebhookSecrets } from './webhook-secrets';
import { mayConnect } from './webhook-target';

/** Public events and who is told of them, wired by hand. */
export interface Integrations {
  readonly values: readonly (readonly [abstract new (...args: never[]) => unknown, unknown])[];
  start(): void;
  close(): Promise<void>;
}

export function makeIntegrations(
  config: TinkServerConfig,
  { store, bus }: TinkServerPorts,
  reads: ReadSide,
  metrics: Metrics,
  secrets: WebhookSecrets,
): Integrations {
  const stream = new PublishedStream(bus.connection);
  const may = mayConnect(allowedNetworks(config.TINK_WEBHOOK_NETWORKS));
  const sender = new WebhookClient({ may });
  const publisher = new PublisherReactor(store, stream, metrics);
  const keeper = new SubscriptionKeeper(reads, { store, stream, secrets, sender, clock: systemClock });
  const feed = new SubscriptionFeed(stream);
  return {
    values: [
      [SubscriptionCommands, new SubscriptionCommands(store, reads, keeper, secrets, may)],
      [SubscriptionFeed, feed],
      [DeadLetters, new DeadLetters(store, secrets, sender)],
    ],
    start() {
      publisher.start();
      keeper.start();
    },
    async close() {
      await Promise.all([publisher.close(), keeper.close(), feed.close()]);
    },
  };
}
