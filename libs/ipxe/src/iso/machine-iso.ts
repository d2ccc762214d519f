import { fatImage } from './fat-image';
import { isoImage, readIsoRoot } from './iso9660';

/** Programs that the ISO is made of; what there is decides which machines boot it. */
export interface IsoPrograms {
  /** Debian's `ipxe.iso`: ISOLINUX and the iPXE that it starts come from there. */
  readonly biosIso?: Uint8Array;
  /** Name in `/EFI/BOOT` → iPXE for that architecture. */
  readonly efi: Readonly<Record<string, Uint8Array>>;
}

/** iPXE for BIOS and UEFI with this script inside. */
export function machineIso(programs: IsoPrograms, script: string): Uint8Array {
  const text = new TextEncoder().encode(script);
  const bios = programs.biosIso ? biosFiles(programs.biosIso, text) : [];
  const efi = Object.entries(programs.efi).map(([name, bytes]) => ({ path: `/EFI/BOOT/${name}`, bytes }));
  // iPXE looks beside itself.
  const beside = { path: '/EFI/BOOT/autoexec.ipxe', bytes: text };
  return isoImage({
    label: 'TINKERBELL',
    bios: bios.length > 0 ? 'ISOLINUX.BIN' : '',
    files: bios,
    efi: efi.length > 0 ? fatImage([...efi, beside]) : undefined,
  });
}

const config = 'PROMPT 0\nTIMEOUT 1\nDEFAULT ipxe\nLABEL ipxe\n  KERNEL ipxe.krn\n  INITRD autoexec.ipx\n';

function biosFiles(image: Uint8Array, script: Uint8Array) {
  const found = readIsoRoot(image);
  const programs = ['ISOLINUX.BIN', 'LDLINUX.C32', 'IPXE.KRN'].map((name) => {
    const bytes = found.get(name);
    if (!bytes) throw new RangeError(`ipxe.iso has no ${name}`);
    return { name, bytes };
  });
  const configFile = { name: 'ISOLINUX.CFG', bytes: new TextEncoder().encode(config) };
  return [...programs, configFile, { name: 'AUTOEXEC.IPX', bytes: script }];
}
