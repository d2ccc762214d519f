// Raspberry Pis ask as PXE clients of a BIOS, and know neither PXE nor a boot file's name: they look for a word, then for files of their own.
import { clientMachineId, type Options } from '@tinkerbell/dhcp';

/** IEEE's, of Raspberry Pi. */
const makers: ReadonlySet<string> = new Set([
  ...['b8-27-eb', 'dc-a6-32', 'e4-5f-01', '28-cd-c1', 'd8-3a-dd', '2c-cf-67', '88-a2-9e'],
]);
/** 0: what their loader says by IPv4; 41: "arm rpiboot" (IANA). UEFI on a Raspberry Pi says 11. */
const archs: readonly (number | null)[] = [0, 41];

/** By the maker's part of the MAC, or by the machine id of a Pi 4 or newer, whose MAC may be another. */
export function isRaspberryPi(mac: string, arch: number | null, options: Options): boolean {
  if (!archs.includes(arch)) return false;
  const id = options.get(clientMachineId.code) ?? new Uint8Array();
  return makers.has(mac.slice(0, 8)) || /^\0RPi\d/.test(String.fromCharCode(...id.subarray(0, 5)));
}

/** What their boot ROM asks for first; later ones have it in their EEPROM. */
export const raspberryLoader = 'bootcode.bin';

/** The ROM of the Pi 3B looks for three characters too many. */
const word = 'Raspberry Pi Boot   ';
const latin1 = (text: string) => Array.from(text, (character) => character.charCodeAt(0));

/** Option 43: they take a reply with this word in it, as of a PXE menu (9: type 0, its name; 10: no wait, a prompt). */
export const raspberryMenu: ReadonlyMap<number, Uint8Array> = new Map([
  [6, Uint8Array.of(8)],
  [9, Uint8Array.of(0, 0, word.length, ...latin1(word))],
  [10, Uint8Array.of(0, ...latin1('PXE'))],
]);
