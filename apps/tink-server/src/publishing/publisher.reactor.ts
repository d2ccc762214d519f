import type { Recorded } from '@tinkerbell/events';
import type { EventStore } from '@tinkerbell/event-store';
import { pause, PublishConflictError, type PublishedStream } from '@tinkerbell/messaging';
import { ceHeaders, parseEventId, toPublication } from '@tinkerbell/public-events';
import { ServerLogger } from '../log';
import type { Metrics } from '../metrics';
import { Pipeline } from './pipeline';

const firstRetryMs = 250;
const slowestRetryMs = 15_000;

/**
 * Follows the log and publishes what is public, each event once and in order. It keeps no checkpoint: the last message of the stream of
 * public events says where it was, and a message is only stored behind the one that we saw last, so two publishers cannot double anything.
 */
export class PublisherReactor {
  private readonly logger = new ServerLogger('publisher');
  private readonly stop = new AbortController();
  private running: Promise<void> = Promise.resolve();
  private reached = 0;

  constructor(
    private readonly store: EventStore,
    private readonly stream: PublishedStream,
    private readonly metrics: Metrics,
    private readonly now: () => number = Date.now,
  ) {
    metrics.gauge(
      'tink_published_position',
      'Position of the log up to which public events are published',
      () => this.reached,
    );
  }

  start(): void {
    this.running = this.run();
  }

  async close(): Promise<void> {
    this.stop.abort();
    await this.running;
  }

  private async run(): Promise<void> {
    const { signal } = this.stop;
    for (let failures = 0; !signal.aborted;) {
      const before = this.reached;
      try {
        await this.follow(signal);
      } catch (error) {
        if (signal.aborted) return;
        if (this.reached > before) failures = 0;
        // Another publisher was faster, or our own message was stored and its acknowledgement lost: the head tells.
        if (error instanceof PublishConflictError) this.logger.debug(error.message);
        else this.logger.warn(`public events wait at position ${this.reached}: ${String(error)}`);
        await pause(Math.min(firstRetryMs * 2 ** failures++, slowestRetryMs), signal);
      }
    }
  }

  private async follow(signal: AbortSignal): Promise<void> {
    const head = await this.stream.head();
    const isNew = await this.published(head.id);
    const pipeline = new Pipeline(this.stream, head.sequence);
    const either = AbortSignal.any([signal, pipeline.failed]);
    for await (const commit of this.store.subscribe({ after: isNew.after, signal: either })) {
      for (const recorded of commit.events) {
        const publication = isNew.test(recorded) ? toPublication(recorded) : undefined;
        if (!publication) continue;
        const { subject, event } = publication;
        await pipeline.send({ subject, id: event.id, headers: ceHeaders(event), body: JSON.stringify(event.data) });
        this.metrics.count('tink_published_events_total', 'Public events sent to the stream');
      }
      pipeline.afterwards(() => (this.reached = commit.position));
      if (pipeline.failed.aborted) break;
    }
    await pipeline.drained();
  }

  /**
   * What comes after the last message. An empty stream holds nothing because all of it ran out, or because it is new: what is older than
   * the stream keeps anything was published or is not worth it, and what is younger would still be there.
   */
  private async published(
    lastId: string | undefined,
  ): Promise<{ readonly after: number; readonly test: (recorded: Recorded) => boolean }> {
    if (lastId === undefined) {
      const oldest = this.now() - (await this.stream.retentionMs());
      return { after: 0, test: ({ at }) => Date.parse(at) >= oldest };
    }
    const last = parseEventId(lastId);
    if (!last)
      throw new Error(`the last message of the stream of public events (${lastId}) is not from this publisher`);
    const test = ({ position, index }: Recorded) =>
      position > last.position || (position === last.position && index > last.index);
    return { after: last.position - 1, test };
  }
}
