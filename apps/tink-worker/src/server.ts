import {
  subjects,
  type AttemptRef,
  type DataGetReply,
  type DataGetRequest,
  type DataPutReply,
  type DataPutRequest,
  type NextReply,
  type NextRequest,
  type PermitReply,
  type PermitRequest,
  type RpcCall,
  type RpcReply,
  type SecretsReply,
  type StateReply,
  type StateRequest,
} from '@tinkerbell/messaging';
import type { Bus } from './bus/bus';
import type { Pace } from './pace';

/** tink-server heard the question and said no; asking again the same way is of no use. */
export class RefusedError extends Error {
  override readonly name = 'RefusedError';
  constructor(
    readonly call: RpcCall,
    readonly code: string,
    message: string,
  ) {
    super(`${call}: ${message} (${code})`);
  }
}

/** The answer was not what the protocol says. */
export class MalformedReplyError extends Error {
  override readonly name = 'MalformedReplyError';
}

/** The server answered that it failed itself, or that it does not know yet what it will; that passes. */
export class ServerFaultError extends Error {
  override readonly name = 'ServerFaultError';
}

const serverFaults = ['INTERNAL', 'UNAVAILABLE', 'NOT_YET'];

/** What a worker asks tink-server. One try each; every other rejection than RefusedError may pass. */
export class Server {
  /** A server of an earlier release takes no `key`, and says so. */
  private takesKeys = true;

  constructor(
    private readonly bus: Bus,
    private readonly workerId: string,
    private readonly pace: Pick<Pace, 'requestMs'>,
  ) {}

  async next(request: NextRequest): Promise<NextReply> {
    const reply = await this.askWithKey<NextReply>('next', request);
    const { assignment } = reply;
    if (assignment === null) return reply;
    const { workflowId, index, attempt, action } = assignment ?? {};
    const whole = typeof workflowId === 'string' && Number.isInteger(index) && Number.isInteger(attempt) && action;
    if (!whole)
      throw new MalformedReplyError(`next: the assignment lacks a field: ${JSON.stringify(reply).slice(0, 200)}`);
    return reply;
  }

  state(request: StateRequest): Promise<StateReply> {
    return this.ask('state', request);
  }

  dataGet(request: DataGetRequest): Promise<DataGetReply> {
    return this.ask('data-get', request);
  }

  dataPut(request: DataPutRequest): Promise<DataPutReply> {
    return this.ask('data-put', request);
  }

  async permit(request: PermitRequest): Promise<PermitReply> {
    const reply = await this.askWithKey<PermitReply>('permit', request);
    if (Number.isFinite(reply.seconds)) return reply;
    throw new MalformedReplyError('permit: the answer does not say for how many seconds');
  }

  /** Every one of `names`. No error that comes of it holds a value. */
  async secrets(request: AttemptRef, names: readonly string[]): Promise<SecretsReply['values']> {
    const { values } = await this.ask<Partial<SecretsReply>>('secrets', request);
    const missing = names.filter((name) => typeof values?.[name] !== 'string');
    if (missing.length === 0 && values) return Object.fromEntries(names.map((name) => [name, String(values[name])]));
    throw new MalformedReplyError(`secrets: the answer lacks a value for ${missing.join(', ')}`);
  }

  private async askWithKey<T>(call: RpcCall, { key, ...request }: NextRequest | PermitRequest): Promise<T> {
    if (key === undefined || !this.takesKeys) return this.ask<T>(call, request);
    try {
      return await this.ask<T>(call, { ...request, key });
    } catch (error) {
      if (!(error instanceof RefusedError) || error.code !== 'INVALID') throw error;
      const reply = await this.ask<T>(call, request);
      this.takesKeys = false;
      return reply;
    }
  }

  private async ask<T>(call: RpcCall, request: object): Promise<T> {
    const answer = await this.bus.request(subjects.rpc(this.workerId, call), request, this.pace.requestMs);
    const reply = checkReply<T>(call, answer);
    if ('err' in reply) {
      const { code, message } = reply.err;
      if (serverFaults.includes(code)) throw new ServerFaultError(`${call}: ${message} (${code})`);
      throw new RefusedError(call, code, message);
    }
    return reply.response;
  }
}

function checkReply<T>(call: RpcCall, reply: unknown): RpcReply<T> {
  if (isRecord(reply) && isRecord(reply.err)) {
    return {
      err: { code: String(reply.err.code ?? 'UNKNOWN'), message: String(reply.err.message ?? 'no reason given') },
    };
  }
  if (isRecord(reply) && isRecord(reply.response)) return { response: reply.response as T };
  const shown = call === 'secrets' ? 'the answer' : JSON.stringify(reply)?.slice(0, 200);
  throw new MalformedReplyError(`${call}: neither response nor err in ${shown}`);
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}
