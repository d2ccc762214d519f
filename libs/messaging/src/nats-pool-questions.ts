import { ErrorCode, type NatsConnection, NatsError } from 'nats';
import { BusUnavailableError } from './nats-connect';

const patienceMs = 20_000;

interface Fault {
  readonly fault: string;
}

/** Asks the one boots that may write a lease pool. */
export abstract class PoolQuestions<Request, Answer extends object> {
  constructor(
    private readonly connection: NatsConnection,
    private readonly subjectOf: (pool: string) => string,
  ) {}

  /** Answers for this instance until called. `take`: undefined where another instance has to answer. */
  answer(pool: string, take: (request: Request) => Promise<Answer | undefined>): () => void {
    const subscription = this.connection.subscribe(this.subjectOf(pool), {
      callback: (error, message) => {
        if (error) return; // a refused subject shows in onStatus
        const reply = (answer: Answer | Fault | undefined) => void (answer && message.respond(JSON.stringify(answer)));
        // Within it: what is no JSON is a fault too.
        const taking = async () => take(message.json<Request>());
        taking().then(reply, (fault: unknown) => reply({ fault: String(fault) }));
      },
    });
    return () => subscription.unsubscribe();
  }

  /** Throws BusUnavailableError when the active boots did not say what became of it. */
  async ask(pool: string, request: Request): Promise<Answer> {
    const reply = await this.#reply(pool, JSON.stringify(request));
    if ('fault' in reply) throw new BusUnavailableError(`boots could not store the leases: ${reply.fault}`);
    return reply;
  }

  async #reply(pool: string, request: string): Promise<Answer | Fault> {
    try {
      const message = await this.connection.request(this.subjectOf(pool), request, { timeout: patienceMs });
      return message.json<Answer | Fault>();
    } catch (error) {
      if (!(error instanceof NatsError)) throw error;
      const isAlone = error.code === (ErrorCode.NoResponders as string);
      const why = isAlone ? 'no boots gives out leases for it' : `its boots did not answer: ${error.message}`;
      throw new BusUnavailableError(`lease pool ${pool}: ${why}`, { cause: error });
    }
  }
}
