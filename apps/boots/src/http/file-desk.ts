import { realpath } from 'node:fs/promises';
import { join, sep } from 'node:path';
import { NotFoundError } from '@tinkerbell/domain';
import { type BootPrograms, regularFile, roleOf, type StoredFile } from '../boot-programs';
import type { Callers } from '../callers';
import { parseRequestedName } from '../requested-name';
import type { ServedFiles } from '../served-files';
import { type HttpRequest, type HttpResponse, pathOf, peerOf } from './http-message';
import { sendFile } from './send-file';

export interface FileFolders {
  /** Kernel and file systems of the in-memory OS, below `/osie/`. */
  readonly osie: string;
  /** Disk images and whatever else machines fetch, with subfolders, below `/images/`. '' = none. */
  readonly images: string;
}

/** Finds what a URL names, sends it, and remembers what went out whole. */
export class FileDesk {
  constructor(
    private readonly folders: FileFolders,
    private readonly programs: BootPrograms,
    private readonly callers: Callers,
    private readonly served: ServedFiles,
  ) {}

  /** `/osie/<file>`. */
  async osie(request: HttpRequest, response: HttpResponse): Promise<void> {
    const path = pathOf(request)?.replace(/^\/osie\//, '') ?? '';
    const file = await below(this.folders.osie, path);
    if (!file) throw new NotFoundError('file', path);
    await this.#send(request, response, file, path);
  }

  /** `/images/<path>`. */
  async image(request: HttpRequest, response: HttpResponse): Promise<void> {
    const path = pathOf(request)?.replace(/^\/images\//, '') ?? '';
    const file = this.folders.images === '' ? undefined : await below(this.folders.images, path);
    if (!file) throw new NotFoundError('file', path);
    await this.#send(request, response, file, path);
  }

  /** `/<program>` and `/<mac>/<program>`, for UEFI HTTP boot. */
  async program(request: HttpRequest, response: HttpResponse): Promise<void> {
    const path = pathOf(request) ?? '';
    const wanted = parseRequestedName(path);
    const file = wanted && (await this.programs.find(wanted.name));
    if (!file) throw new NotFoundError('file', path);
    await this.#send(request, response, file, wanted.name);
  }

  async #send(request: HttpRequest, response: HttpResponse, file: StoredFile, name: string): Promise<void> {
    const startedAt = performance.now();
    // Now: a socket that is closed has forgotten its peer. A MAC in the path proves nothing: anybody can write one there.
    const machine = this.callers.at(peerOf(request));
    const isWhole = await sendFile(request, response, file);
    if (!isWhole) return;
    const seconds = (performance.now() - startedAt) / 1000;
    await this.served.record({ machine, protocol: 'http', role: roleOf(name), file: name, bytes: file.size, seconds });
  }
}

/** The regular file at `path` inside `folder`; undefined when there is none, or when it is outside, links followed. */
async function below(folder: string, path: string): Promise<StoredFile | undefined> {
  if (path === '' || path.includes('\0') || path.split(/[/\\]/).includes('..')) return undefined;
  const file = await regularFile(join(folder, path));
  if (!file) return undefined;
  const [root, target] = await Promise.all([realpath(folder), realpath(file.path)]);
  return target.startsWith(root.endsWith(sep) ? root : `${root}${sep}`) ? file : undefined;
}
