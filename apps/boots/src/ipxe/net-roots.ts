import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import type { NetRoot, OsieBoot } from '@tinkerbell/ipxe';
import { fileBelow, roleOf, type StoredFile } from '../boot-programs';

/** Root file systems of our own OSIE that its first program can fetch by itself. */
export class NetRoots {
  readonly #digests = new Map<string, { readonly version: string; readonly sha256: Promise<string> }>();

  constructor(private readonly folder: string) {}

  /** undefined: the last initrd is no root file system, or not the only one, or the build of OSIE has no program that fetches it. */
  async of({ arch, initrds }: Pick<OsieBoot, 'arch' | 'initrds'>): Promise<Omit<NetRoot, 'from'> | undefined> {
    const loader = `netroot-${arch}`;
    const initrd = initrds.at(-1);
    if (initrd === undefined || initrds.findIndex((path) => roleOf(path) === 'rootfs') !== initrds.length - 1)
      return undefined;
    const file = await fileBelow(this.folder, initrd);
    if (!file || !(await fileBelow(this.folder, loader))) return undefined;
    return { initrd, loader, sha256: await this.#digest(file) };
  }

  /** Reads the file once in each version of it. */
  async #digest(file: StoredFile): Promise<string> {
    const version = `${file.size} ${file.modifiedMs}`;
    const known = this.#digests.get(file.path);
    if (known?.version === version) return known.sha256;
    const sha256 = digestOf(file.path);
    this.#digests.set(file.path, { version, sha256 });
    sha256.catch(() => this.#digests.delete(file.path));
    return sha256;
  }
}

async function digestOf(path: string): Promise<string> {
  const hash = createHash('sha256');
  for await (const chunk of createReadStream(path, { highWaterMark: 1 << 20 })) hash.update(chunk as Buffer);
  return hash.digest('hex');
}
