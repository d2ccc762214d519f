import { randomUUID } from 'node:crypto';
import { connectNats, streamNames } from '@tinkerbell/messaging';
import type { Site } from './site';

const lanes = 64;
const stream = 'BENCH_RAW';

/** What JetStream alone does: publishes of real commits with the options of the log, to a stream like the log on the same server. */
export class RawCommits {
  private serial = 0;

  private constructor(
    private readonly connection: Awaited<ReturnType<typeof connectNats>>,
    private payloads: readonly Uint8Array[] = [],
  ) {}

  static async open({ engine }: Site): Promise<RawCommits> {
    const connection = await connectNats({ ...engine, name: 'raw' });
    const manager = await connection.jetstreamManager();
    const { config } = await manager.streams.info(streamNames.events);
    await manager.streams.add({ ...config, name: stream, subjects: ['bench.raw.>'] });
    return new RawCommits(connection);
  }

  /** Where the log ends. */
  async position(): Promise<number> {
    const manager = await this.connection.jetstreamManager();
    return (await manager.streams.info(streamNames.events)).state.last_seq;
  }

  /** Takes the bytes of the last commits before a position. */
  async sample(position: number): Promise<void> {
    const manager = await this.connection.jetstreamManager();
    const found = Array.from({ length: 210 }, (_, i) =>
      manager.streams.getMessage(streamNames.events, { seq: position - i }),
    );
    this.payloads = (await Promise.all(found)).map(({ data }) => data);
  }

  /** So many commits as fast as they are taken; seconds. */
  async write(count: number): Promise<number> {
    const began = performance.now();
    let left = count;
    const lane = async (): Promise<void> => {
      for (let last = 0, n = 0, subject = ''; left-- > 0; n++) {
        if (n % 21 === 0) [last, subject] = [0, this.subject()];
        last = await this.publish(subject, last);
      }
    };
    await Promise.all(Array.from({ length: lanes }, lane));
    return (performance.now() - began) / 1000;
  }

  /** Pairs of commits, the second after the first, so many pairs a second; milliseconds of each pair. */
  async pairs(rate: number, seconds: number): Promise<readonly number[]> {
    const began = performance.now();
    const pairs: Promise<number>[] = [];
    for (let n = 0; n < rate * seconds; n++) {
      const early = began + (n * 1000) / rate - performance.now();
      if (early > 0) await new Promise((resolve) => setTimeout(resolve, early));
      pairs.push(this.pair());
    }
    return Promise.all(pairs);
  }

  private async pair(): Promise<number> {
    const began = performance.now();
    const subject = this.subject();
    await this.publish(subject, await this.publish(subject, 0));
    return performance.now() - began;
  }

  private async publish(subject: string, last: number): Promise<number> {
    const payload = this.payloads[this.serial % this.payloads.length];
    const expect = { streamName: stream, lastSubjectSequence: last };
    const { seq } = await this.connection.jetstream().publish(subject, payload, { msgID: randomUUID(), expect });
    return seq;
  }

  private subject(): string {
    return `bench.raw.${this.serial++}`;
  }

  async close(): Promise<void> {
    await this.connection.close();
  }
}
