import { ErrorCode, type NatsConnection, NatsError, RequestStrategy } from 'nats';
import { BusUnavailableError } from './nats-connect';
import { subjects } from './subjects';

/** One boots by its own word: what it is for its lease pool. */
export interface PoolMember {
  readonly pool: string;
  /** Where it is reached. */
  readonly address: string;
  readonly role: 'active' | 'standby';
}

const patienceMs = 500;
/** After so long without another answer nobody else is there. */
const quietMs = 150;

/** Which instances of boots there are, by asking all of them: core NATS, nothing is kept. */
export class PoolRoll {
  constructor(private readonly connection: NatsConnection) {}

  /** Answers for this instance until called. */
  answer(member: () => PoolMember): () => void {
    const subscription = this.connection.subscribe(subjects.poolRoll, {
      callback: (_, message) => void message.respond(JSON.stringify(member())),
    });
    return () => subscription.unsubscribe();
  }

  /** All that answer within half a second. Throws BusUnavailableError while nobody can be asked. */
  async call(): Promise<readonly PoolMember[]> {
    const members: PoolMember[] = [];
    const options = { strategy: RequestStrategy.JitterTimer, maxWait: patienceMs, jitter: quietMs } as const;
    try {
      // A request goes out later, and so to nobody, while the connection is being made again.
      await this.#reached();
      for await (const answer of await this.connection.requestMany(subjects.poolRoll, '', options)) {
        members.push(answer.json<PoolMember>());
      }
    } catch (error) {
      if (!(error instanceof NatsError)) throw error;
      if (error.code !== (ErrorCode.NoResponders as string)) {
        throw new BusUnavailableError(`who serves a pool cannot be asked: ${error.message}`, { cause: error });
      }
    }
    return members;
  }

  async #reached(): Promise<void> {
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<never>((_, reject) => {
      timer = setTimeout(() => reject(NatsError.errorForCode(ErrorCode.Timeout)), patienceMs);
    });
    try {
      await Promise.race([this.connection.rtt(), late]);
    } finally {
      clearTimeout(timer);
    }
  }
}
