import { BusForbiddenError, NatsBus, type LogLine } from '@tinkerbell/messaging';
import { Bus, CredentialRefusedError, MessageTooLargeError } from './bus';

export interface NatsOptions {
  readonly workerId: string;
  readonly servers: string;
  /** PEM; without it the connection is not encrypted. */
  readonly ca: string | undefined;
  readonly jwt: () => string;
  readonly seed: string | undefined;
  readonly inboxPrefix: string;
  readonly connectTimeoutMs: number;
  readonly onStatus: (text: string) => void;
  /** The server ended the connection because of the credential, or refuses it on the way back. */
  readonly onRefused: () => void;
}

/** The bus over NATS, with the worker's own credential. */
export class NatsWorkerBus extends Bus {
  private up = true;
  private readonly wakes = new Set<() => void>();
  private inner: NatsBus | undefined;

  private constructor(private readonly options: NatsOptions) {
    super();
  }

  /** One try. Throws CredentialRefusedError; everything else may pass. */
  static async connect(options: NatsOptions): Promise<NatsWorkerBus> {
    const bus = new NatsWorkerBus(options);
    const { servers, ca, jwt, seed, inboxPrefix, workerId, connectTimeoutMs } = options;
    try {
      bus.inner = await NatsBus.connect({
        servers,
        ...(ca ? { ca } : {}),
        ...(seed ? { jwt, seed } : {}),
        inboxPrefix,
        name: `worker ${workerId}`,
        firstConnectTimeoutMs: connectTimeoutMs,
        onStatus: (status) => bus.note(status),
      });
    } catch (error) {
      if (error instanceof BusForbiddenError) throw new CredentialRefusedError(error.message, { cause: error });
      throw error;
    }
    return bus;
  }

  get connected(): boolean {
    return this.up && this.inner?.connection.isClosed() === false;
  }

  async publish(subject: string, body: object, id: string): Promise<void> {
    const bus = this.open();
    if (subject.startsWith('tink.log.')) await bus.publishLog(subject, body as LogLine, id);
    else await bus.publishReport(subject, id, body);
  }

  async request(subject: string, body: object, timeoutMs: number): Promise<unknown> {
    try {
      return await this.open().request(subject, body, timeoutMs);
    } catch (error) {
      const cause = error instanceof Error ? (error.cause as { code?: unknown } | undefined) : undefined;
      if (cause?.code === 'MAX_PAYLOAD_EXCEEDED')
        throw new MessageTooLargeError('the bus does not take messages that long');
      throw error;
    }
  }

  onWake(subject: string, wake: () => void): void {
    this.wakes.add(wake);
    this.open().subscribe(subject, () => wake());
  }

  async close(): Promise<void> {
    await this.inner?.close();
  }

  /** What waits in the client while it is away would be sent late and in bulk; callers keep it themselves. */
  private open(): NatsBus {
    if (!this.inner || !this.up) throw new Error('the bus is away');
    return this.inner;
  }

  private note({ type, detail }: { readonly type: string; readonly detail: string }): void {
    if (type === 'disconnect') this.up = false;
    if (type === 'reconnect') {
      this.up = true;
      this.wakes.forEach((wake) => wake());
    }
    if (type === 'error' && /auth/i.test(detail)) this.options.onRefused();
    if (type === 'disconnect' || type === 'reconnect' || type === 'error')
      this.options.onStatus(`NATS ${type}: ${detail}`);
  }
}
