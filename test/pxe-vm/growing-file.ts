import { EventEmitter } from 'node:events';
import { open, type FileHandle } from 'node:fs/promises';

const lookMs = 50;
const chunkBytes = 65_536;

/** What others append to a file, as text (latin1), until `close`. Emits `more` when there is more of it. */
export class GrowingFile extends EventEmitter<{ more: []; error: [unknown] }> {
  readonly #handle: FileHandle;
  readonly #timer: NodeJS.Timeout;
  readonly #chunk = Buffer.alloc(chunkBytes);
  #text = '';
  #reading = Promise.resolve();
  #closed: Promise<void> | undefined;

  private constructor(handle: FileHandle) {
    super();
    this.#handle = handle;
    this.#timer = setInterval(() => void this.read().catch((error: unknown) => this.emit('error', error)), lookMs);
  }

  static async follow(path: string): Promise<GrowingFile> {
    return new GrowingFile(await open(path, 'r'));
  }

  get text(): string {
    return this.#text;
  }

  /** Resolves when all that has been written by now is in `text`. */
  read(): Promise<void> {
    if (this.#closed) return this.#closed;
    this.#reading = this.#reading.then(async () => {
      for (;;) {
        const { bytesRead } = await this.#handle.read(this.#chunk, 0, chunkBytes, this.#text.length);
        if (bytesRead === 0) return;
        this.#text += this.#chunk.toString('latin1', 0, bytesRead);
        this.emit('more');
      }
    });
    return this.#reading;
  }

  /** What had been written by then is in `text`. Safe to call again. */
  close(): Promise<void> {
    clearInterval(this.#timer);
    this.#closed ??= this.read().finally(() => this.#handle.close());
    return this.#closed;
  }
}
