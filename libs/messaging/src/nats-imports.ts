import { ErrorCode, type NatsConnection, NatsError } from 'nats';
import { BusUnavailableError } from './nats-connect';
import { subjects } from './subjects';

/** A lease as the file of another DHCP server has it. */
export interface ForeignLease {
  readonly ip: string;
  /** `aa-bb-cc-dd-ee-ff`; null: it names none, or the hardware is not Ethernet. */
  readonly mac: string | null;
  /** Lower-case hex: DHCPv4 option 61; DHCPv6 `<DUID>:<IAID>`. */
  readonly clientId: string | null;
  readonly hostname: string;
  /** `declined`: by its client, `abandoned`: by the server, since somebody else uses the address. */
  readonly state: 'bound' | 'declined' | 'abandoned';
  /** ISO 8601; null: never. */
  readonly expiresAt: string | null;
}

export interface ImportRequest {
  readonly leases: readonly ForeignLease[];
  /** Says what would be, and stores nothing. */
  readonly dryRun: boolean;
  /** In the log as who did it, e.g. `user:admin`. */
  readonly actor: string;
}

export type PassedOverReason = 'expired' | 'outside' | 'reserved' | 'held' | 'elsewhere' | 'no-client' | 'declined';

/** `extended`: it was its client's already, for a shorter time. */
export type ImportedOne =
  | { readonly ip: string; readonly result: 'bound' | 'extended' | 'quarantined' | 'already' }
  | {
      readonly ip: string;
      readonly result: 'passed-over';
      readonly reason: PassedOverReason;
      readonly message: string;
    };

export interface ImportAnswer {
  /** In the order of the request. */
  readonly leases: readonly ImportedOne[];
}

/** In one request: a commit has to stay below 1 MiB, and other clients wait for it. */
export const maxImported = 250;
const patienceMs = 20_000;

type Reply = ImportAnswer | { readonly fault: string };

/** Hands leases to the one boots that may write them. */
export class LeaseImports {
  constructor(private readonly connection: NatsConnection) {}

  /** Answers for this instance until called. `take`: undefined where another instance has to answer. */
  answer(pool: string, take: (request: ImportRequest) => Promise<ImportAnswer | undefined>): () => void {
    const subscription = this.connection.subscribe(subjects.leaseImport(pool), {
      callback: (error, message) => {
        if (error) return; // a refused subject shows in onStatus
        const reply = (answer: Reply | undefined) => void (answer && message.respond(JSON.stringify(answer)));
        // Within it: what is no JSON is a fault too.
        const taking = async () => take(message.json<ImportRequest>());
        taking().then(reply, (fault: unknown) => reply({ fault: String(fault) }));
      },
    });
    return () => subscription.unsubscribe();
  }

  /** Throws BusUnavailableError when the active boots did not say what became of them: asked again, it tells of the same leases. */
  async ask(pool: string, request: ImportRequest): Promise<ImportAnswer> {
    const reply = await this.#reply(pool, JSON.stringify(request));
    if ('fault' in reply) throw new BusUnavailableError(`boots could not store the leases: ${reply.fault}`);
    return reply;
  }

  async #reply(pool: string, request: string): Promise<Reply> {
    try {
      const message = await this.connection.request(subjects.leaseImport(pool), request, { timeout: patienceMs });
      return message.json<Reply>();
    } catch (error) {
      if (!(error instanceof NatsError)) throw error;
      const isAlone = error.code === (ErrorCode.NoResponders as string);
      const why = isAlone ? 'no boots gives out leases for it' : `its boots did not answer: ${error.message}`;
      throw new BusUnavailableError(`lease pool ${pool}: ${why}`, { cause: error });
    }
  }
}
