import { JetStreamEventStore } from '@tinkerbell/event-store';
import { NatsBus, PublishedStream } from '@tinkerbell/messaging';
import { Metrics } from '../metrics';
import { PublisherReactor } from './publisher.reactor';

/** A process that only publishes, for specs that kill it. Argument: URL of nats-server. */
async function main(): Promise<void> {
  const servers = process.argv[2] ?? '';
  const bus = await NatsBus.connect({ servers, name: 'publisher' });
  const store = await JetStreamEventStore.fromConnection(bus.connection, { servers, durability: 'fsync-each' });
  new PublisherReactor(store, new PublishedStream(bus.connection), new Metrics()).start();
}

void main();
