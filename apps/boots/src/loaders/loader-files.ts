import { NotFoundError } from '@tinkerbell/domain';
import { autoexecScript6, grubOfArchitecture, raspberryConfig } from '@tinkerbell/ipxe';
import { type BootPrograms, fileBelow, type StoredFile } from '../boot-programs';
import { type Callers, plainAddress } from '../callers';
import type { ScriptDesk } from '../ipxe/script-desk';
import { hexAddress, type LoaderPath, parseLoaderPath } from './loader-path';
import { grubSyntax, pxelinuxSyntax, raspberrySyntax } from './loader-syntax';

export interface LoaderFolders {
  /** Kernel and file systems of the in-memory OS. */
  readonly osie: string;
  /** Firmware of Raspberry Pis (`start4.elf`, `fixup4.dat`, `*.dtb`), '' = none. */
  readonly raspberry: string;
}

/** There is no file for it, by which it goes on with its next boot device: that is what it is told. */
export class OwnDiskError extends NotFoundError {}

/** What iPXE, PXELINUX, GRUB and Raspberry Pis ask for by names of their own, the same by TFTP and HTTP. */
export class LoaderFiles {
  constructor(
    private readonly folders: LoaderFolders,
    private readonly programs: Pick<BootPrograms, 'find'>,
    private readonly callers: Pick<Callers, 'at'>,
    private readonly scripts: Pick<ScriptDesk, 'config' | 'choice'>,
  ) {}

  /**
   * undefined: the path is none of theirs. Throws NotFoundError when there is no such file, and for a machine that we do not know;
   * ForbiddenError for a configuration that somebody else asks for.
   */
  async find(path: string, from: string): Promise<string | StoredFile | undefined> {
    const wanted = parseLoaderPath(path);
    if (!wanted) return undefined;
    const address = plainAddress(from);
    switch (wanted.kind) {
      case 'pxelinux':
      case 'grub':
        return this.#config(wanted, path, address);
      case 'missing':
        return missing(path);
      case 'grub-architecture':
        return grubOfArchitecture;
      case 'ipxe-autoexec':
        return (
          (await this.programs.find('autoexec.ipxe')) ?? (address.includes(':') ? autoexecScript6() : missing(path))
        );
      case 'grub-part':
        return (await this.programs.find(wanted.file)) ?? missing(path);
      case 'raspberry-config':
        return this.#raspberryConfig(path, address);
      case 'raspberry-arguments':
        return (await this.scripts.config(address, undefined, raspberrySyntax)) || ownDisk(path);
      case 'osie':
        return (await fileBelow(this.folders.osie, wanted.file)) ?? missing(path);
      case 'raspberry':
        return this.#raspberryFile(wanted, path, address);
    }
  }

  #config(
    { kind, mac, address: hex }: Extract<LoaderPath, { kind: 'pxelinux' | 'grub' }>,
    path: string,
    address: string,
  ) {
    // A machine's address alone names it; a part of one is a network, of which we know nothing.
    if (hex !== undefined && hex !== hexAddress(address)) missing(path);
    return this.scripts.config(address, mac, kind === 'grub' ? grubSyntax : pxelinuxSyntax);
  }

  #raspberryConfig(path: string, address: string): string {
    const choice = this.scripts.choice(address, undefined);
    if (choice?.script === 'local') return ownDisk(path);
    if (!choice || choice.script === 'custom') return missing(path);
    return raspberryConfig(choice);
  }

  /** undefined: another kind of file, of a machine that is no Raspberry Pi perhaps. */
  async #raspberryFile(
    { file, below }: Extract<LoaderPath, { kind: 'raspberry' }>,
    path: string,
    address: string,
  ): Promise<StoredFile | undefined> {
    const firmware = this.folders.raspberry === '' ? undefined : await fileBelow(this.folders.raspberry, file);
    if (firmware && below === 'image') return firmware;
    const choice = this.callers.at(address) && this.scripts.choice(address, undefined);
    // Firmware without a kernel stands still: with neither the machine goes on.
    if (choice?.script === 'local' && (firmware || below === 'serial')) return ownDisk(path);
    if (firmware) return firmware;
    const isOsie = choice && 'kernel' in choice && (choice.kernel === file || choice.initrds.includes(file));
    const found = isOsie ? await fileBelow(this.folders.osie, file) : undefined;
    return found ?? (below === 'serial' ? missing(path) : undefined);
  }
}

function ownDisk(path: string): never {
  throw new OwnDiskError('file', path);
}

function missing(path: string): never {
  throw new NotFoundError('file', path);
}
