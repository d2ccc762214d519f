import { realpath, stat } from 'node:fs/promises';
import { join, sep } from 'node:path';
import type { BootFileRole } from '@tinkerbell/events';

export interface StoredFile {
  readonly path: string;
  readonly size: number;
  readonly modifiedMs: number;
  /** Of its content, where its date says nothing of that. */
  readonly tag?: string;
}

/** Where setup and Debian's packages put iPXE, shim and the signed GRUB. */
export const usualProgramFolders = [
  '.cache/ipxe/usr/lib/ipxe',
  '.cache/shim-signed/usr/lib/shim',
  '.cache/grub-efi-amd64-signed/usr/lib/grub/x86_64-efi-signed',
  // By infra/setup/signed-arm64.mjs.
  '.cache/signed-arm64/usr/lib/shim',
  '.cache/signed-arm64/usr/lib/grub/arm64-efi-signed',
].join(':');

/** Names of the table of architectures, and of shim for what it loads, that Debian's packages and grub-mknetdir spell differently. */
const alsoKnownAs: Readonly<Record<string, readonly string[]>> = {
  'snp-arm64.efi': ['ipxe-arm64.efi'],
  'snp-x86_64.efi': ['snponly.efi'],
  'ipxe.efi': ['ipxe-amd64.efi'],
  'shimx64.efi': ['shimx64.efi.signed'],
  'shimaa64.efi': ['shimaa64.efi.signed'],
  // Not Debian's grubx64.efi.signed: that one starts from a disk.
  'grubx64.efi': ['grubnetx64.efi.signed', 'grub/x86_64-efi/core.efi'],
  'grubaa64.efi': ['grubnetaa64.efi.signed', 'grub/arm64-efi/core.efi'],
  'core.0': ['grub/i386-pc/core.0'],
};

/** The network boot programs of some folders, separated by colons; the first that has a name counts. No name, no link leads out of its folder. */
export class BootPrograms {
  readonly #folders: readonly string[];

  constructor(folders: string) {
    this.#folders = folders.split(':').filter((folder) => folder !== '');
  }

  async find(name: string): Promise<StoredFile | undefined> {
    for (const candidate of [name, ...(alsoKnownAs[name] ?? [])]) {
      for (const folder of this.#folders) {
        const file = await fileBelow(folder, candidate);
        if (file) return file;
      }
    }
    return undefined;
  }
}

/** The regular file at `path` inside `folder`; undefined when there is none, or when it is outside, links followed. */
export async function fileBelow(folder: string, path: string): Promise<StoredFile | undefined> {
  if (path === '' || path.includes('\0') || path.split(/[/\\]/).includes('..')) return undefined;
  const file = await regularFile(join(folder, path));
  if (!file) return undefined;
  const [root, target] = await Promise.all([realpath(folder), realpath(file.path)]);
  return target.startsWith(root.endsWith(sep) ? root : `${root}${sep}`) ? file : undefined;
}

/** undefined: not there, or not a regular file. */
async function regularFile(path: string): Promise<StoredFile | undefined> {
  try {
    const found = await stat(path);
    return found.isFile() ? { path, size: found.size, modifiedMs: found.mtimeMs } : undefined;
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT' || code === 'ENOTDIR' || code === 'ENAMETOOLONG' || code === 'ELOOP') return undefined;
    throw error;
  }
}

/** `path`: a name, with folders in front or without. */
export function roleOf(path: string): BootFileRole {
  const name = path.slice(path.lastIndexOf('/') + 1);
  if (/\.(?:k?kpxe|pxe|efi|lkrn|0)$/.test(name)) return 'nbp';
  // Raspberry Pi.
  if (/^(?:bootcode\.bin|start\w*\.elf|boot\.img)$/.test(name)) return 'nbp';
  if (/^(?:vmlinuz|bzImage|kernel\w*\.img$)/.test(name)) return 'kernel';
  if (/^(?:initramfs|initrd|netroot)/.test(name)) return 'initramfs';
  return name.startsWith('rootfs') ? 'rootfs' : 'other';
}
