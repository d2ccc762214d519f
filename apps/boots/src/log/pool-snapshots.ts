import { createHash, type Hash } from 'node:crypto';
import { type FileHandle, mkdir, open, rename } from 'node:fs/promises';
import { join } from 'node:path';
import type { PoolSaving } from '@tinkerbell/domain';
import type { StreamHead } from '@tinkerbell/event-store';
import type { Logger } from '../logger';
import type { Folded } from './stream-writer';

/** Of one line, between two of which requests have their turn. */
const leasesALine = 100;
/** After each line, as a multiple of what it took. */
const restShare = 9;
const format = 'tinkerbell lease pool';

interface Header {
  readonly format: string;
  readonly fold: number;
  readonly stream: string;
  readonly head: StreamHead;
  readonly pool: unknown;
}

/** Behind the leases: of each it may say what any commit up to that one did. */
interface Footer {
  readonly through: StreamHead;
}

/** What a file led to, and the last commit that it may have something of. */
export interface Saved<S> extends Folded<S> {
  readonly through: StreamHead;
}

/**
 * A pool as one commit left it, in a file: lines of JSON, the last one the SHA-256 of all before. It only spares the next start the log
 * up to that commit, may be deleted at any time, and is believed only as far as the log leads to the same commit (ADR 0017). It is written
 * while the pool goes on, so single leases may be as a later commit left them: the log says that again.
 */
export class PoolSnapshots<S> {
  readonly #file: string;

  constructor(
    private readonly folder: string,
    pool: string,
    private readonly saving: PoolSaving<S>,
    private readonly log: Logger,
  ) {
    this.#file = join(folder, `lease-pool-${pool}.snapshot`);
  }

  /** undefined: there is none that can be used; why is told. */
  async read(stream: string): Promise<Saved<S> | undefined> {
    try {
      return await this.#read(stream);
    } catch (error) {
      if (!(error instanceof Error && 'code' in error && error.code === 'ENOENT')) this.ignore(reasonOf(error));
      return undefined;
    }
  }

  /** `events`: what the log had beside it. */
  used(events: number): void {
    this.log.info(`${this.#file}: leases as they were then, and ${events} events since from the log`);
  }

  ignore(reason: string): void {
    this.log.warn(`${this.#file}: ${reason}: ignored, all leases are read from the log`);
  }

  failed(error: unknown): void {
    this.log.warn(`${this.#file} is not written, the next start takes longer: ${reasonOf(error)}`);
  }

  /** Whole or not at all. `isUrgent`: nothing else is to be done; else most of the time is left to others. `last`: the pool's last commit. */
  async write(
    stream: string,
    { head, state }: Folded<S>,
    last: () => StreamHead,
    isUrgent: () => boolean,
  ): Promise<void> {
    await mkdir(this.folder, { recursive: true });
    const unfinished = `${this.#file}.unfinished`;
    const file = await open(unfinished, 'w', 0o600);
    try {
      const header: Header = { format, fold: this.saving.fold, stream, head, pool: this.saving.pool(state) };
      await writeLines(file, header, this.saving.leases(state), () => ({ through: last() }), isUrgent);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(unfinished, this.#file);
  }

  async #read(stream: string): Promise<Saved<S> | undefined> {
    const file = await open(this.#file);
    try {
      const restoration = this.saving.restoration();
      const hash = createHash('sha256');
      let header: Header | undefined;
      let through: StreamHead | undefined;
      for await (const line of file.readLines()) {
        if (line.startsWith(sealMark)) {
          if (line !== sealOf(hash) || !header) break;
          return { head: header.head, state: restoration.done(header.pool), through: through ?? header.head };
        }
        hash.update(`${line}\n`);
        if (!header) header = headerIn(line, stream, this.saving.fold);
        else if (line.startsWith('[')) for (const lease of JSON.parse(line) as unknown[]) restoration.add(lease);
        else ({ through } = JSON.parse(line) as Footer);
      }
      throw new Error('damaged');
    } finally {
      await file.close();
    }
  }
}

const sealMark = 'sha256 ';
const sealOf = (hash: Hash) => `${sealMark}${hash.copy().digest('hex')}`;

async function writeLines(
  file: FileHandle,
  header: Header,
  leases: Iterable<unknown>,
  footer: () => Footer,
  isUrgent: () => boolean,
): Promise<void> {
  const hash = createHash('sha256');
  const put = (value: unknown) => {
    const line = `${JSON.stringify(value)}\n`;
    hash.update(line);
    return file.write(line);
  };
  await put(header);
  let row: unknown[] = [];
  let from = performance.now();
  for (const lease of leases) {
    if (row.push(lease) < leasesALine) continue;
    const writing = put(row);
    const took = performance.now() - from;
    await writing;
    if (!isUrgent()) await new Promise((resolve) => setTimeout(resolve, took * restShare));
    row = [];
    from = performance.now();
  }
  if (row.length > 0) await put(row);
  await put(footer());
  await file.write(`${sealOf(hash)}\n`);
}

function headerIn(line: string, stream: string, fold: number): Header {
  const header = JSON.parse(line) as Header;
  if (header.format !== format) throw new Error('no snapshot of a lease pool');
  if (header.fold !== fold) throw new Error(`of another version of boots (${header.fold}, this one has ${fold})`);
  if (header.stream !== stream) throw new Error(`of ${header.stream}, not of ${stream}`);
  return header;
}

function reasonOf(error: unknown): string {
  if (error instanceof SyntaxError || error instanceof TypeError) return 'damaged';
  return error instanceof Error ? error.message : String(error);
}
