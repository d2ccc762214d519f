import type { Logger } from '../logger';
import type { Metrics } from '../metrics';
import { type DhcpFile, parseDhcpFile, textOfDhcpFile } from './dhcp-file';
import { type SubnetFile, SubnetFileError } from './read-subnets';

/** What is in force, for operators. */
export interface DhcpFileState {
  readonly path: string;
  /** When what is in force was read, ISO 8601. */
  readonly appliedAt: string;
  /** Why what the file says now is not in force. */
  readonly fault?: string;
}

/** A file that is being written is not whole: what is the same at two looks in a row is taken. */
const lookMs = 2000;

/**
 * Takes what BOOTS_DHCP_FILE says anew when the file changes. One that is wrong, gone or asks for what cannot be had changes nothing: what
 * was in force goes on. What cannot be had is tried again at each look, what is wrong is not.
 */
export class DhcpFileWatch {
  #timer: NodeJS.Timeout | undefined;
  #looking: Promise<void> = Promise.resolve();
  /** As of the last look. */
  #seen: string;
  #inForce: string;
  #refused: string | undefined;
  #appliedAt: Date;
  #fault: string | undefined;

  constructor(
    private readonly path: string,
    start: DhcpFile,
    /** Resolves when it is in force; what it throws has changed nothing. */
    private readonly apply: (file: SubnetFile) => Promise<void>,
    private readonly ports: { readonly log: Logger; readonly metrics: Metrics; readonly clock: () => Date },
  ) {
    this.#seen = this.#inForce = start.text;
    this.#appliedAt = ports.clock();
    this.#count();
  }

  get state(): DhcpFileState {
    const fault = this.#fault;
    return { path: this.path, appliedAt: this.#appliedAt.toISOString(), ...(fault === undefined ? {} : { fault }) };
  }

  open(everyMs = lookMs): void {
    this.#timer = setInterval(() => void this.look(), everyMs).unref();
  }

  async close(): Promise<void> {
    clearInterval(this.#timer);
    await this.#looking;
  }

  look(): Promise<void> {
    this.#looking = this.#looking.then(() => this.#look());
    return this.#looking;
  }

  async #look(): Promise<void> {
    try {
      const text = await textOfDhcpFile(this.path);
      const isWhole = text === this.#seen;
      this.#seen = text;
      if (isWhole && text !== this.#refused) await this.#take(text);
    } catch (error) {
      this.#refused = error instanceof SubnetFileError ? this.#seen : undefined;
      this.#refuse(error);
    }
    this.#count();
  }

  async #take(text: string): Promise<void> {
    if (text !== this.#inForce) {
      await this.apply(parseDhcpFile(text, this.path).file);
      this.#inForce = text;
      this.#appliedAt = this.ports.clock();
      this.ports.log.info(`${this.path} has changed and is in force`);
    }
    this.#refused = undefined;
    this.#fault = undefined;
  }

  #refuse(error: unknown): void {
    const fault = error instanceof Error ? error.message : String(error);
    if (fault !== this.#fault) {
      this.ports.log.error(`the DHCP file of ${this.#appliedAt.toISOString()} stays in force: ${fault}`);
    }
    this.#fault = fault;
  }

  #count(): void {
    this.ports.metrics.set('dhcp_file_ok', {}, this.#fault === undefined ? 1 : 0);
    this.ports.metrics.set('dhcp_file_applied_timestamp_seconds', {}, Math.round(this.#appliedAt.getTime() / 1000));
  }
}
