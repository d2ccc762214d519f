import { basename } from 'node:path';
import { NotFoundError } from '@tinkerbell/domain';
import { type BootPrograms, fileBelow, roleOf, type StoredFile } from '../boot-programs';
import type { ImageCache } from '../files/image-cache';
import { parseCachePath } from '../files/origins';
import type { SharedFiles } from '../files/shared-files';
import type { Callers } from '../callers';
import type { LoaderFiles } from '../loaders/loader-files';
import { parseRequestedName } from '../requested-name';
import type { FailedRequests } from '../recorder/failed-requests';
import type { ServedFiles } from '../served-files';
import { type HttpRequest, type HttpResponse, pathOf, peerOf } from './http-message';
import { sendFile } from './send-file';
import { SentParts } from './sent-parts';

export interface FileFolders {
  /** Kernel and file systems of the in-memory OS, below `/osie/`. */
  readonly osie: string;
  /** Disk images and whatever else machines fetch, with subfolders, below `/images/`. '' = none. */
  readonly images: string;
}

/** Finds what a URL names, sends it, and remembers what went out whole. */
export class FileDesk {
  readonly #parts = new SentParts();

  constructor(
    private readonly folders: FileFolders,
    private readonly programs: BootPrograms,
    private readonly files: { readonly shared: SharedFiles; readonly cache: ImageCache },
    private readonly callers: Callers,
    private readonly records: {
      readonly served: ServedFiles;
      readonly failed: Pick<FailedRequests, 'note'>;
      readonly loaders: Pick<LoaderFiles, 'find'>;
    },
  ) {}

  /** `/osie/<file>`. */
  async osie(request: HttpRequest, response: HttpResponse): Promise<void> {
    const path = pathOf(request)?.replace(/^\/osie\//, '') ?? '';
    const file = await fileBelow(this.folders.osie, path);
    if (!file) throw new NotFoundError('file', path);
    await this.#send(request, response, file, path);
  }

  /** `/images/<path>`. */
  async image(request: HttpRequest, response: HttpResponse): Promise<void> {
    const path = pathOf(request)?.replace(/^\/images\//, '') ?? '';
    const file = this.folders.images === '' ? undefined : await fileBelow(this.folders.images, path);
    if (!file) throw new NotFoundError('file', path);
    await this.#send(request, response, file, path);
  }

  /** `/cache/<sha256>/<url>`: a file of another server. */
  async cached(request: HttpRequest, response: HttpResponse): Promise<void> {
    const path = request.url ?? '';
    const name = this.files.cache.isOn ? parseCachePath(path) : undefined;
    if (!name) throw new NotFoundError('file', path);
    const { socket } = request;
    const idleMs = socket.timeout ?? 0;
    // Whoever waits for a large file says nothing meanwhile.
    socket.setTimeout(0);
    const file = await this.files.cache.file(name).finally(() => socket.setTimeout(idleMs));
    await this.#send(request, response, file, basename(name.url.pathname));
  }

  /** `/<program>` and `/<mac>/<program>`, for UEFI HTTP boot; what PXELINUX, GRUB and Raspberry Pis look for. */
  async program(request: HttpRequest, response: HttpResponse): Promise<void> {
    const path = pathOf(request) ?? '';
    const own = await this.records.loaders.find(path, peerOf(request));
    if (typeof own === 'string') return sendText(response, own);
    if (own) return this.#send(request, response, own, basename(path));
    const wanted = parseRequestedName(path);
    const file = wanted && (await this.programs.find(wanted.name));
    if (!file) throw new NotFoundError('file', path);
    await this.#send(request, response, file, wanted.name);
  }

  async #send(request: HttpRequest, response: HttpResponse, file: StoredFile, name: string): Promise<void> {
    const startedAt = performance.now();
    // Now: a socket that is closed has forgotten its peer. A MAC in the path proves nothing: anybody can write one there.
    const source = peerOf(request);
    const caller = this.callers.who(source);
    const part = await sendFile(request, response, file, this.files.shared);
    if (response.destroyed && !response.writableFinished) {
      const [protocol, reason, detail] = ['http', 'broken-off', name] as const;
      this.records.failed.note({ protocol, reason, detail, source, ...(caller && { mac: caller.mac }) });
    }
    if (!part) return;
    const now = performance.now();
    const version = `${file.path} ${file.size} ${file.tag ?? file.modifiedMs}`;
    if (!this.#parts.isWhole(source, version, part, file.size, now)) return;
    const seconds = (now - startedAt) / 1000;
    await this.records.served.record({
      caller,
      address: source,
      protocol: 'http',
      role: roleOf(name),
      file: name,
      bytes: file.size,
      seconds,
    });
  }
}

function sendText(response: HttpResponse, text: string): void {
  response.setHeader('Content-Type', 'text/plain; charset=utf-8');
  response.setHeader('Cache-Control', 'no-store');
  response.end(text);
}
