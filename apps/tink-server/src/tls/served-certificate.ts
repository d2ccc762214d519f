import { createPrivateKey, X509Certificate } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import type { SecureContextOptions } from 'node:tls';

/** PEM: a certificate, its chain behind it, and its key. */
export interface TlsPair {
  readonly cert: string;
  readonly key: string;
}

export interface CertificateFiles {
  /** As they are now. */
  readonly read: () => Promise<TlsPair>;
  readonly everyMs?: number;
}

interface Log {
  log(line: string): void;
  warn(line: string): void;
}

/** What clients are shown. New files take its place as soon as they are whole and good; connections that are open stay. */
export class ServedCertificate {
  readonly #shown: ((pair: TlsPair) => void)[] = [];
  #timer: NodeJS.Timeout | undefined;
  #reading: Promise<void> = Promise.resolve();
  #refused = '';

  constructor(
    private pair: TlsPair,
    private readonly files: CertificateFiles | undefined,
    private readonly log: Log,
  ) {}

  get current(): TlsPair {
    return this.pair;
  }

  /** Calls back with each new one. */
  onRenewed(show: (pair: TlsPair) => void): void {
    this.#shown.push(show);
  }

  watch(): void {
    if (!this.files) return;
    const { everyMs = 60_000 } = this.files;
    this.#timer = setInterval(() => (this.#reading = this.#reading.then(() => this.#look())), everyMs).unref();
  }

  async close(): Promise<void> {
    clearInterval(this.#timer);
    await this.#reading;
  }

  async #look(): Promise<void> {
    try {
      const next = await this.files?.read();
      if (next && (next.cert !== this.pair.cert || next.key !== this.pair.key)) this.#take(next);
      this.#refused = '';
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      if (reason !== this.#refused) this.log.warn(`certificate not renewed, the one before stays: ${reason}`);
      this.#refused = reason;
    }
  }

  #take(next: TlsPair): void {
    const parsed = parse('certificate', () => new X509Certificate(next.cert));
    const key = parse('key', () => createPrivateKey(next.key));
    if (!parsed.checkPrivateKey(key)) throw new Error('the key is not that of the certificate');
    const [from, until] = [new Date(parsed.validFrom), new Date(parsed.validTo)];
    if (from > new Date()) throw new Error(`it begins on ${from.toISOString()}`);
    if (until <= new Date()) throw new Error(`it ended on ${until.toISOString()}`);
    for (const show of this.#shown) show(next);
    this.pair = next;
    this.log.log(`HTTPS and gRPC have a new certificate, until ${until.toISOString()}`);
  }
}

function parse<T>(what: string, read: () => T): T {
  try {
    return read();
  } catch (cause) {
    throw new Error(`the file of the ${what} has none in PEM`, { cause });
  }
}

export function contextOf({ cert, key }: TlsPair): SecureContextOptions {
  return { cert, key, minVersion: 'TLSv1.2' };
}

/** The two files of a pair, as often as they are wanted. */
export function pairOf(files: { readonly cert: string; readonly key: string }): () => Promise<TlsPair> {
  return async () => {
    const [cert, key] = await Promise.all([readFile(files.cert, 'utf8'), readFile(files.key, 'utf8')]);
    return { cert, key };
  };
}
