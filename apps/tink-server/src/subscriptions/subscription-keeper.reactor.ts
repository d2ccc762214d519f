import { durableName, pause, type PublishedStream } from '@tinkerbell/messaging';
import type { SubscriptionRow } from '@tinkerbell/projections';
import { filterSubjects } from '@tinkerbell/public-events';
import { Turns } from '../commands/turns';
import { ServerLogger } from '../log';
import { type ReadSide, rowsOf } from '../read-side';
import { type DeliveryPorts, WebhookDelivery } from './webhook-delivery';

interface Running {
  /** Changes when the delivery has to begin anew. */
  readonly key: string;
  readonly stop: AbortController;
  readonly ended: Promise<void>;
}

/** Clocks of a cluster differ; what comes too early is left out by its own time and position. */
const marginMs = 60_000;
const retryMs = 2_000;

/** Keeps what JetStream holds and what is being delivered as the subscriptions say: a durable consumer each, a delivery for each webhook. */
export class SubscriptionKeeper {
  private readonly logger = new ServerLogger('subscriptions');
  private readonly turns = new Turns();
  private readonly stop = new AbortController();
  private readonly running = new Map<string, Running>();
  private endListening: () => void = () => undefined;

  constructor(
    private readonly reads: ReadSide,
    private readonly ports: DeliveryPorts,
  ) {}

  start(): void {
    this.endListening = this.reads.subscriptions.onChange(() => void this.reconcile());
    void this.reconcile();
  }

  async close(): Promise<void> {
    this.endListening();
    this.stop.abort();
    await this.turns.run(async () => undefined);
    await Promise.all([...this.running.values()].map((each) => this.end(each)));
  }

  /** Makes the consumer of a subscription, so that nothing published from now on is missed. Throws BusUnavailableError. */
  ensure(row: SubscriptionRow): Promise<void> {
    return ensureDurable(this.ports.stream, row);
  }

  /** Resolves when everything is as the read model says, or the keeper is closed. */
  private reconcile(): Promise<void> {
    return this.turns.run(async () => {
      while (!this.stop.signal.aborted) {
        try {
          return await this.reconcileOnce();
        } catch (error) {
          this.logger.warn(`subscriptions wait: ${String(error)}`);
          await pause(retryMs, this.stop.signal);
        }
      }
    });
  }

  private async reconcileOnce(): Promise<void> {
    const wanted = new Map<string, SubscriptionRow>();
    for await (const row of rowsOf(this.reads.subscriptions, ({ name }) => name)) {
      wanted.set(durableName(row.name, row.incarnation), row);
    }
    for (const [durable, running] of this.running) {
      if (keyOf(wanted.get(durable)) !== running.key) {
        this.running.delete(durable);
        await this.end(running);
      }
    }
    for (const { name } of await this.ports.stream.durables()) {
      if (!wanted.has(name)) await this.ports.stream.removeDurable(name);
    }
    for (const [durable, row] of wanted) {
      await this.ensure(row);
      if (keyOf(row) !== '' && !this.running.has(durable)) this.begin(durable, row);
    }
  }

  private begin(durable: string, row: SubscriptionRow): void {
    const { webhook } = row;
    if (!webhook || this.stop.signal.aborted) return;
    const stop = new AbortController();
    const ended = new WebhookDelivery(this.ports, { ...row, webhook })
      .run(stop.signal)
      .catch((error: unknown) => this.logger.error(`${row.name}: delivery ended: ${String(error)}`));
    this.running.set(durable, { key: keyOf(row), stop, ended });
  }

  private async end({ stop, ended }: Running): Promise<void> {
    stop.abort();
    await ended;
  }
}

export function ensureDurable(stream: PublishedStream, row: SubscriptionRow): Promise<void> {
  const since = new Date(Math.max(Date.parse(row.from.time) - marginMs, 0)).toISOString();
  return stream.ensureDurable({
    name: durableName(row.name, row.incarnation),
    position: row.position,
    subjects: filterSubjects(row.filters),
    since,
  });
}

/** '' for a subscription that nothing is sent for. */
function keyOf(row: SubscriptionRow | undefined): string {
  return row?.status === 'active' && row.webhook ? row.webhook.url : '';
}
