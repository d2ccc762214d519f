import { type FileHandle, open } from 'node:fs/promises';
import type { StoredFile } from '../boot-programs';
import type { Chunk } from '../udp/piece';
import type { NativeSendfile } from './native-sendfile';

/** Bytes; more than the largest TFTP block, so that a block lies in two chunks at most. */
export const chunkBytes = 256 << 10;

interface CachedChunk extends Chunk {
  /** Looked at since the last search for something to forget. */
  used: boolean;
}

/** Files being sent: opened once, and read once for all who are sent the same part at about the same time. */
export class SharedFiles {
  readonly #files = new Map<string, SharedFile>();
  /** Oldest first. */
  readonly #cached = new Map<CachedChunk, () => void>();
  #bytes = 0;

  constructor(
    private readonly budgetBytes = 64 << 20,
    /** For long stretches, where it can be had. */
    readonly sendfile?: NativeSendfile,
  ) {}

  /** Bytes held for reuse. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Release it after use. Another version of the file is another one. */
  acquire(file: StoredFile): FileContent {
    const key = `${file.path}\0${file.size}\0${file.modifiedMs}`;
    const shared = this.#files.get(key) ?? this.#add(key, file);
    shared.users++;
    return shared;
  }

  #add(key: string, file: StoredFile): SharedFile {
    const shared: SharedFile = new SharedFile(file, this, () => {
      if (this.#files.get(key) === shared) this.#files.delete(key);
    });
    this.#files.set(key, shared);
    return shared;
  }

  keep(chunk: CachedChunk, forget: () => void): void {
    this.#cached.set(chunk, forget);
    this.#bytes += chunk.bytes.length;
    for (const [candidate, forgetIt] of this.#cached) {
      if (this.#bytes <= this.budgetBytes) return;
      this.#cached.delete(candidate);
      if (candidate.used) {
        candidate.used = false;
        this.#cached.set(candidate, forgetIt);
      } else {
        this.#bytes -= candidate.bytes.length;
        forgetIt();
      }
    }
  }
}

/** What is sent: read chunk by chunk, released at the end. */
export interface Content {
  readonly size: number;
  /** Chunk `index` when it is in memory. */
  peek(index: number): Chunk | undefined;
  /** Rejects when the file cannot be read, or became shorter. */
  read(index: number): Promise<Chunk>;
  /** Begins to read chunk `index`, for whoever needs it soon and hears of errors then. */
  readAhead(index: number): void;
  release(): void;
}

export interface FileContent extends Content {
  /** The file itself, good until the release. Rejects when it became another one. */
  opened(): Promise<FileHandle>;
  /** Rejects when it became another one since it was acquired. */
  isSame(): Promise<void>;
}

class SharedFile implements FileContent {
  users = 0;
  #handle: Promise<FileHandle> | undefined;
  readonly #chunks = new Map<number, CachedChunk>();
  readonly #reading = new Map<number, Promise<Chunk>>();

  constructor(
    private readonly file: StoredFile,
    private readonly cache: SharedFiles,
    private readonly onUnused: () => void,
  ) {}

  get size(): number {
    return this.file.size;
  }

  peek(index: number): Chunk | undefined {
    const chunk = this.#chunks.get(index);
    if (chunk) chunk.used = true;
    return chunk;
  }

  read(index: number): Promise<Chunk> {
    const known = this.peek(index);
    if (known) return Promise.resolve(known);
    const reading = this.#reading.get(index) ?? this.#load(index).finally(() => this.#reading.delete(index));
    this.#reading.set(index, reading);
    return reading;
  }

  readAhead(index: number): void {
    if (index * chunkBytes < this.size && !this.#chunks.has(index)) this.read(index).catch(() => undefined); // whoever needs it reads it again, and is told
  }

  /** After the last user the chunks stay until their place is needed. */
  release(): void {
    if (--this.users > 0) return;
    void this.#handle?.then((handle) => handle.close()).catch(() => undefined);
    this.#handle = undefined;
    this.#forgetIfEmpty();
  }

  async opened(): Promise<FileHandle> {
    const opening = (this.#handle ??= this.#open());
    return opening.catch((error: unknown) => {
      if (this.#handle === opening) this.#handle = undefined;
      throw error;
    });
  }

  async isSame(): Promise<void> {
    await this.#compare(await this.opened());
  }

  async #load(index: number): Promise<Chunk> {
    const handle = await this.opened();
    const from = index * chunkBytes;
    const bytes = Buffer.allocUnsafeSlow(Math.min(chunkBytes, this.size - from));
    for (let at = 0; at < bytes.length;) {
      const { bytesRead } = await handle.read(bytes, at, bytes.length - at, from + at);
      if (bytesRead === 0) throw new Error(`${this.file.path} became shorter while it was sent`);
      at += bytesRead;
    }
    await this.#compare(handle);
    const chunk = { bytes, used: true };
    this.#chunks.set(index, chunk);
    this.cache.keep(chunk, () => {
      this.#chunks.delete(index);
      this.#forgetIfEmpty();
    });
    return chunk;
  }

  async #open(): Promise<FileHandle> {
    const handle = await open(this.file.path, 'r');
    try {
      await this.#compare(handle);
      return handle;
    } catch (error) {
      await handle.close();
      throw error;
    }
  }

  async #compare(handle: FileHandle): Promise<void> {
    const { size, mtimeMs } = await handle.stat();
    if (size !== this.file.size || mtimeMs !== this.file.modifiedMs)
      throw new Error(`${this.file.path} became another file while it was sent`);
  }

  #forgetIfEmpty(): void {
    if (this.users === 0 && this.#chunks.size === 0) this.onUnused();
  }
}
