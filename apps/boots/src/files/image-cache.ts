import { mkdir, readdir, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { pause } from '@tinkerbell/messaging';
import type { StoredFile } from '../boot-programs';
import type { Logger } from '../logger';
import type { Metrics } from '../metrics';
import { download, hashOf, OriginError } from './download';
import { type CacheName, isAllowed } from './origins';

export interface CacheSettings {
  readonly folder: string;
  /** URL prefixes; none: there is no cache. */
  readonly origins: readonly string[];
  readonly bytes: number;
  readonly stallMs: number;
}

class WrongDigestError extends OriginError {}

/** No more downloads at once than that. */
export class BusyError extends Error {}

const mostDownloads = 8;
const attempts = 5;
const firstPauseMs = 500;

interface Kept {
  bytes: number;
  readonly isPart: boolean;
  /** Whether its content is what its name says; undefined: nobody has looked since the start. */
  isRight?: Promise<boolean>;
}

/**
 * Files of other servers, fetched once and kept by their SHA-256. Nothing is handed out before all of it is here and its digest is right;
 * what is here is handed out without asking anybody, once it was hashed since the start: a machine that lost its power may have lost a part.
 */
export class ImageCache {
  /** Name in the folder → size, least recently used first. */
  readonly #kept = new Map<string, Kept>();
  readonly #running = new Map<string, Promise<StoredFile>>();
  readonly #stop = new AbortController();

  private constructor(
    private readonly settings: CacheSettings,
    private readonly metrics: Metrics,
    private readonly log: Logger,
  ) {}

  static async open(settings: CacheSettings, metrics: Metrics, log: Logger): Promise<ImageCache> {
    const cache = new ImageCache(settings, metrics, log);
    if (settings.origins.length > 0) await cache.#look();
    return cache;
  }

  get isOn(): boolean {
    return this.settings.origins.length > 0;
  }

  get bytes(): number {
    return [...this.#kept.values()].reduce((sum, { bytes }) => sum + bytes, 0);
  }

  /** Resolves when the file is here and whole. Throws OriginError, BusyError. */
  async file({ digest, url }: CacheName): Promise<StoredFile> {
    const found = await this.#find(digest);
    if (found) return this.#counted('hit', found);
    const running = this.#running.get(digest);
    if (running) return this.#counted('joined', await running);
    if (!isAllowed(url, this.settings.origins)) throw new OriginError(`${url.href} is at none of BOOTS_CACHE_ORIGINS`);
    if (this.#running.size >= mostDownloads) throw new BusyError(`${mostDownloads} downloads are under way`);
    const fetching = this.#fetch({ digest, url }).finally(() => this.#running.delete(digest));
    this.#running.set(digest, fetching);
    return this.#counted('fetched', await fetching);
  }

  /** What is under way ends; what has come stays. */
  async close(): Promise<void> {
    this.#stop.abort(new OriginError('boots is being stopped'));
    await Promise.allSettled(this.#running.values());
  }

  async #look(): Promise<void> {
    const { folder } = this.settings;
    await mkdir(folder, { recursive: true });
    const files = await Promise.all(
      (await readdir(folder))
        .filter((name) => /^[0-9a-f]{64}(?:\.part)?$/.test(name))
        .map(async (name) => ({ name, ...(await stat(join(folder, name))) })),
    );
    for (const { name, size } of files.sort((a, b) => a.atimeMs - b.atimeMs)) {
      this.#kept.set(name, { bytes: size, isPart: name.endsWith('.part') });
    }
    await this.#makeRoom('', 0);
  }

  async #find(digest: string): Promise<StoredFile | undefined> {
    const kept = this.#kept.get(digest);
    if (!kept) return undefined;
    const path = join(this.settings.folder, digest);
    const found = await stat(path).catch(() => undefined);
    const isRight = found?.size === kept.bytes && (await (kept.isRight ??= this.#isRight(digest, path)));
    // Another one waited for the same, or its place was needed.
    if (this.#kept.get(digest) !== kept) return undefined;
    if (!found || !isRight) {
      await this.#forget(digest);
      return undefined;
    }
    this.#kept.delete(digest);
    this.#kept.set(digest, kept);
    return { path, size: found.size, modifiedMs: found.mtimeMs };
  }

  async #isRight(digest: string, path: string): Promise<boolean> {
    const got = await hashOf(path).then(
      (hash) => hash.digest('hex'),
      (error: unknown) => String(error),
    );
    if (got !== digest) this.log.warn(`image cache: ${digest} is damaged (${got}), and fetched anew`);
    return got === digest;
  }

  async #fetch(name: CacheName): Promise<StoredFile> {
    const { digest, url } = name;
    const part = `${digest}.part`;
    const path = join(this.settings.folder, part);
    for (let attempt = 1; ; attempt++) {
      const isResumed = (this.#kept.get(part)?.bytes ?? 0) > 0;
      try {
        const got = await this.#attempt(name, part, path);
        if (got === digest) return await this.#finish(digest, part);
        await this.#forget(part);
        throw new WrongDigestError(`${url.href} has the SHA-256 ${got}, not ${digest}: nothing of it is handed out`);
      } catch (error) {
        if (isDiskFull(error)) {
          await this.#makeRoomOnDisk(part);
          attempt--;
          continue;
        }
        // A part of before may have been that of another version.
        const isHopeless = error instanceof WrongDigestError ? !isResumed : !(error instanceof OriginError);
        const isLast = attempt === attempts || isHopeless || this.#stop.signal.aborted;
        if (isHopeless) await this.#forget(part);
        this.log[isLast ? 'warn' : 'info'](`image cache, attempt ${attempt} of ${attempts}: ${String(error)}`);
        if (isLast) throw error;
        await pause(firstPauseMs * 2 ** (attempt - 1), this.#stop.signal);
      }
    }
  }

  #attempt({ url }: CacheName, part: string, path: string): Promise<string> {
    const { origins, stallMs } = this.settings;
    const onSize = (bytes: number) => this.#makeRoom(part, bytes);
    return download({ url, path, origins, onSize, stallMs, signal: this.#stop.signal });
  }

  async #finish(digest: string, part: string): Promise<StoredFile> {
    const { folder } = this.settings;
    const path = join(folder, digest);
    await rename(join(folder, part), path);
    const { size, mtimeMs } = await stat(path);
    this.#kept.delete(part);
    this.#kept.set(digest, { bytes: size, isPart: false, isRight: Promise.resolve(true) });
    return { path, size, modifiedMs: mtimeMs };
  }

  /** For `name` at `bytes`; what was not used for the longest time goes. Throws when that is not enough. */
  async #makeRoom(name: string, bytes: number): Promise<void> {
    const { bytes: most } = this.settings;
    const kept = this.#kept.get(name);
    if (kept) kept.bytes = Math.max(kept.bytes, bytes);
    else if (name !== '') this.#kept.set(name, { bytes, isPart: true });
    if (bytes > most)
      throw new TooLargeForCacheError(`${bytes} bytes are more than the image cache has (BOOTS_CACHE_BYTES=${most})`);
    for (const oldest of this.#dispensable(name)) {
      if (this.bytes <= most) return;
      await this.#forget(oldest);
    }
    if (this.bytes > most) throw new BusyError('the image cache is full of downloads that are under way');
  }

  /** Where the disk has less than BOOTS_CACHE_BYTES. Throws when there is nothing that could go. */
  async #makeRoomOnDisk(name: string): Promise<void> {
    const [oldest] = this.#dispensable(name);
    this.log.warn(
      `image cache: the disk of ${this.settings.folder} is full (BOOTS_CACHE_BYTES may be too much for it)`,
    );
    if (oldest !== undefined) return this.#forget(oldest);
    await this.#forget(name);
    throw new TooLargeForCacheError(`the disk of the image cache is full (BOOTS_CACHE_DIR=${this.settings.folder})`);
  }

  /** What was not used for the longest time first. */
  *#dispensable(name: string): Generator<string> {
    for (const [oldest, { isPart }] of this.#kept)
      if (oldest !== name && !(isPart && this.#running.has(oldest.slice(0, 64)))) yield oldest;
  }

  async #forget(name: string): Promise<void> {
    this.#kept.delete(name);
    await rm(join(this.settings.folder, name), { force: true });
  }

  #counted(result: string, file: StoredFile): StoredFile {
    this.metrics.count('image_cache_total', { result });
    return file;
  }
}

/** No room for it, whatever goes. */
export class TooLargeForCacheError extends Error {}

function isDiskFull(error: unknown): boolean {
  const { code } = error as NodeJS.ErrnoException;
  return code === 'ENOSPC' || code === 'EDQUOT';
}
