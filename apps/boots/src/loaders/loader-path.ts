import { looseMac } from '../requested-name';

/** What the path names that iPXE, PXELINUX, GRUB or the firmware of a Raspberry Pi asks for. */
export type LoaderPath =
  /** `mac`: that machine's; `address`: what the path says of the address, as PXELINUX writes it (`0A6300`). */
  | { readonly kind: 'pxelinux' | 'grub'; readonly mac?: string; readonly address?: string }
  /** A name that is never there, such as that of the machine's UUID. */
  | { readonly kind: 'missing' }
  | { readonly kind: 'grub-architecture' }
  /** Beside iPXE's own program, with a MAC in front or without. */
  | { readonly kind: 'ipxe-autoexec' }
  /** `file`: a module, list or font of GRUB, below the folder of the boot programs. */
  | { readonly kind: 'grub-part'; readonly file: string }
  | { readonly kind: 'raspberry-config' | 'raspberry-arguments' }
  /** `file`: in the folder of the in-memory OS. */
  | { readonly kind: 'osie'; readonly file: string }
  /**
   * `file`: of the in-memory OS or of the Raspberry Pi's firmware; below a MAC, and in front, where the Pi 3 looks first and all do that
   * found nothing below their number, it may as well be any boot program. `image`: of HTTP boot, the same for all.
   */
  | { readonly kind: 'raspberry'; readonly file: string; readonly below: RaspberryFolder };

type RaspberryFolder = 'serial' | 'mac' | 'root' | 'image';

/**
 * undefined: none of theirs. The folder in front is the one that the program itself was loaded from; a Raspberry Pi's is its serial number
 * or its MAC. U-Boot's `pxe` hands on the `::` that means the root of the server to PXELINUX.
 */
export function parseLoaderPath(path: string): LoaderPath | undefined {
  const parts = path
    .replace(/^::/, '')
    .replaceAll('\\', '/')
    .split('/')
    .filter((part) => part !== '' && part !== '.');
  if (parts.includes('..') || parts.some((part) => part.includes('\0'))) return undefined;
  const [name = '', folder, above] = [...parts].reverse();
  const depth = parts.length;
  if (folder === 'pxelinux.cfg' && depth <= 3) return pxelinux(name);
  if (folder === 'grub' && depth <= 3) return grub(name);
  if (above === 'grub' && depth <= 4) return grubPart(folder ?? '', name);
  if (parts[0] === 'osie' && depth >= 2) return { kind: 'osie', file: parts.slice(1).join('/') };
  const [first = '', ...rest] = parts;
  if (name === 'autoexec.ipxe' && (depth === 1 || (depth === 2 && looseMac(first) !== undefined)))
    return { kind: 'ipxe-autoexec' };
  if (depth === 1 || first === 'overlays') return raspberry(parts, 'root');
  // Its usual HTTP_PATH.
  if (first === 'net_install') return depth === 2 ? raspberry(rest, 'image') : undefined;
  const below = /^[\da-f]{8}$/i.test(first) ? 'serial' : looseMac(first) === undefined ? undefined : 'mac';
  return below === undefined ? undefined : raspberry(rest, below);
}

/** Of the EEPROM, `bootcode.bin` and `start.elf`: updates, recovery, stubs and settings that are there for few (raspberrypi.com, boot flow). */
const raspberryOptional = new RegExp(
  [
    /^(?:bootsig|dt-blob|armstub\w*(?:-\w+)?|vl805)\.bin$/,
    /^(?:autoboot|tryboot|bootcfg|cma)\.txt$/,
    /^(?:recover\d*|recovery)\.elf$/,
    /^(?:pieeprom\.(?:bin|sig|upd)|vl805\.sig|overlays\/overlay_map\.dtb)$/,
  ]
    .map(({ source }) => source)
    .join('|'),
);

/** What boot programs ask for, just in case, and go on without: that it is not there is no failure. */
export function isOptional(path: string): boolean {
  // Of iPXE and shim.
  if (/(?:^|[/\\])(?:autoexec\.ipxe|revocations(?:_\w+)?\.efi|shim_certificate_\d+\.efi)$/.test(path)) return true;
  const wanted = parseLoaderPath(path);
  if (wanted?.kind === 'raspberry') return raspberryOptional.test(wanted.file);
  if (wanted?.kind === 'grub-part') return !wanted.file.endsWith('.mod');
  if (wanted?.kind === 'pxelinux' || wanted?.kind === 'grub') return (wanted.address ?? '').length % 8 !== 0;
  return wanted?.kind === 'missing';
}

function raspberry(parts: readonly string[], below: RaspberryFolder): LoaderPath | undefined {
  const file = parts.join('/');
  if (file === '') return undefined;
  if (file === 'config.txt') return { kind: 'raspberry-config' };
  if (file === 'cmdline.txt') return { kind: 'raspberry-arguments' };
  return { kind: 'raspberry', file, below };
}

/** 01: Ethernet. Then the address in hex, shorter by a digit each time, then `default`. */
function pxelinux(name: string): LoaderPath {
  const mac = /^01-(.{17})$/.exec(name)?.[1];
  if (mac !== undefined) return withMac('pxelinux', mac);
  if (name === 'default') return { kind: 'pxelinux' };
  return /^[\dA-F]{1,8}$/i.test(name) ? { kind: 'pxelinux', address: name.toUpperCase() } : { kind: 'missing' };
}

function grub(name: string): LoaderPath {
  if (name === 'grub.cfg') return { kind: 'grub' };
  const mac = /^grub\.cfg-01-(.{17})$/.exec(name)?.[1];
  if (mac !== undefined) return withMac('grub', mac);
  const address = /^grub\.cfg-([\dA-F]{1,8})$/i.exec(name)?.[1];
  return address === undefined ? { kind: 'missing' } : { kind: 'grub', address: address.toUpperCase() };
}

/** As `grub-mknetdir` lays them out. */
function grubPart(folder: string, name: string): LoaderPath | undefined {
  const isPlatform = /^(?:x86_64|arm64|i386)-(?:efi|pc)$/.test(folder);
  if (isPlatform && name === 'grub.cfg') return { kind: 'grub-architecture' };
  const isPart = isPlatform ? /\.(?:mod|lst)$/.test(name) : folder === 'fonts' && name.endsWith('.pf2');
  return isPart ? { kind: 'grub-part', file: `grub/${folder}/${name}` } : undefined;
}

function withMac(kind: 'pxelinux' | 'grub', text: string): LoaderPath {
  const mac = looseMac(text);
  return mac === undefined ? { kind: 'missing' } : { kind, mac };
}

/** `10.99.0.11` → `0A63000B`. */
export function hexAddress(address: string): string {
  return address
    .split('.')
    .map((byte) => Number(byte).toString(16).padStart(2, '0'))
    .join('')
    .toUpperCase();
}
