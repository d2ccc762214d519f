import { Socket } from 'node:net';
import { TLSSocket } from 'node:tls';

type Koffi = (typeof import('koffi'))['default'];
type Call = (...args: readonly unknown[]) => number;
type SendfileCall = (
  ...args: readonly [number, number, readonly number[], number, (error: Error | null, sent: number) => void]
) => void;

/** Calls in other threads at once: of the four that Node has for such, one stays free for everything else that reads files. */
const atOnce = 3;
/** RWF_NOWAIT of preadv2(2): fail rather than wait for the disk. */
const noWait = 8;

/**
 * sendfile(2): from the system's copy of a file straight into a connection. Node has nothing like it, and copies every byte twice. The
 * call may wait for the disk, so it runs in a thread of Node's pool; it never waits for the client.
 */
export class NativeSendfile {
  #running = 0;
  readonly #waiting: (() => void)[] = [];
  readonly #sendfile: SendfileCall;
  readonly #preadv2: Call;
  readonly #dup: Call;
  readonly #close: Call;

  private constructor(private readonly koffi: Koffi) {
    const c = koffi.load(null);
    this.#sendfile = c.func('intptr_t sendfile64(int, int, int64_t *, size_t)').async as SendfileCall;
    this.#preadv2 = c.func('intptr_t preadv2(int, const uint64_t *, int, int64_t, int)') as Call;
    this.#dup = c.func('int dup(int)') as Call;
    this.#close = c.func('int close(int)') as Call;
  }

  /** Rejects where it cannot be had. */
  static async load(): Promise<NativeSendfile> {
    if (process.platform !== 'linux') throw new Error(`no sendfile as Linux has it on ${process.platform}`);
    return new NativeSendfile((await import('koffi')).default);
  }

  /**
   * Sends what the socket has room for, `count` bytes at most, of the open file. Resolves how much that was: 0 when there is no room, when
   * the file ends before, and when it cannot be done; a write by way of Node tells which.
   */
  async send(socket: Socket | null, file: number, from: number, count: number): Promise<number> {
    if (this.#running >= atOnce) await new Promise<void>((resolve) => this.#waiting.push(resolve));
    else this.#running++;
    try {
      return await this.#send(socket, file, from, count);
    } finally {
      const next = this.#waiting.shift();
      if (next) next();
      else this.#running--;
    }
  }

  /** What of a file is in memory already: how many bytes, of those that `into` has room for; less than 1: ask the disk. */
  readCached(file: number, into: Buffer, from: number): number {
    return this.#preadv2(file, [this.koffi.address(into), into.length], 1, from, noWait);
  }

  async #send(socket: Socket | null, file: number, from: number, count: number): Promise<number> {
    const descriptor = descriptorOf(socket);
    // A number of our own: when the connection is closed meanwhile, Node's may be another connection's a moment later.
    const own = descriptor === undefined ? -1 : this.#dup(descriptor);
    if (own < 0) return 0;
    try {
      return await new Promise<number>((resolve, reject) => {
        this.#sendfile(own, file, [from], count, (error, sent) => (error ? reject(error) : resolve(Math.max(sent, 0))));
      });
    } finally {
      this.#close(own);
    }
  }
}

/** Node does not say; undefined: it has none, it is not its turn (there is something to be sent before), or its bytes are to be encrypted. */
function descriptorOf(socket: Socket | null): number | undefined {
  if (!socket || socket instanceof TLSSocket || socket.destroyed || socket.writableLength > 0) return undefined;
  const handle: unknown = Reflect.get(socket, '_handle');
  const descriptor: unknown = typeof handle === 'object' && handle !== null ? Reflect.get(handle, 'fd') : undefined;
  return typeof descriptor === 'number' && descriptor >= 0 ? descriptor : undefined;
}
