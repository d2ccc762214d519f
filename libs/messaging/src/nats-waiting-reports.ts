import type { JetStreamManager, Msg, NatsConnection } from 'nats';
import { Answers } from './nats-answers';
import { BusUnavailableError } from './nats-connect';
import { streamNames } from './nats-names';

interface Found {
  readonly seq: number;
  /** Undefined: not JSON. */
  readonly body: unknown;
}

/** Reports in `TINK_IN`, which nobody has taken yet. */
export class WaitingReports {
  private constructor(
    private readonly manager: JetStreamManager,
    /** Undefined for a stream of several replicas: one that is behind must not answer, so its leader is asked. */
    private readonly answers: Answers | undefined,
  ) {}

  static async open(connection: NatsConnection, timeoutMs: number): Promise<WaitingReports> {
    const manager = await connection.jetstreamManager({ checkAPI: false });
    const { config } = await manager.streams.info(streamNames.reports);
    const direct = config.num_replicas === 1 && config.allow_direct;
    return new WaitingReports(manager, direct ? new Answers(await import('nats'), connection, timeoutMs) : undefined);
  }

  /** Bodies of those on this subject, oldest first; without what is not JSON. */
  async of(subject: string): Promise<readonly unknown[]> {
    const bodies: unknown[] = [];
    for (let seq = 1; ;) {
      const found = this.answers ? await this.direct(this.answers, seq, subject) : await this.ofLeader(seq, subject);
      if (!found) return bodies;
      seq = found.seq + 1;
      if (found.body !== undefined) bodies.push(found.body);
    }
  }

  private async direct(answers: Answers, seq: number, subject: string): Promise<Found | undefined> {
    const found = await answers.ask({
      subject: `$JS.API.DIRECT.GET.${streamNames.reports}`,
      data: Buffer.from(JSON.stringify({ seq, next_by_subj: subject })),
      take: ({ headers, data }): Found | 'nothing' => {
        if (headers?.code === 404) return 'nothing';
        if (headers?.code)
          throw new BusUnavailableError(`${streamNames.reports} answers ${headers.code} ${headers.description}`);
        return { seq: Number(headers?.get('Nats-Sequence')), body: bodyOf(data) };
      },
    });
    return found === 'nothing' ? undefined : found;
  }

  private async ofLeader(seq: number, subject: string): Promise<Found | undefined> {
    try {
      const query = { seq, next_by_subj: subject };
      const message = await this.manager.streams.getMessage(streamNames.reports, query);
      return { seq: message.seq, body: bodyOf(message.data) };
    } catch (error) {
      const code = error instanceof Error && 'api_error' in error ? (error.api_error as { code?: number })?.code : 0;
      if (code === 404) return undefined;
      throw error;
    }
  }
}

function bodyOf(data: Msg['data']): unknown {
  try {
    return JSON.parse(Buffer.from(data.buffer, data.byteOffset, data.length).toString('utf8'));
  } catch {
    return undefined;
  }
}
