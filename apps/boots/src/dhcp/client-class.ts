import { clientArch, type DhcpPacket, readOption, userClass, vendorClass } from '@tinkerbell/dhcp';
import type { HardwareDhcpOption } from '@tinkerbell/events';

/** Clients that have something in common: all that is not empty has to fit, one of each list. */
export interface ClientClass {
  readonly name: string;
  /** Option 93 (RFC 4578 §2.1). */
  readonly arch: readonly number[];
  /** How option 60 begins. */
  readonly vendorClass: readonly string[];
  /** One of those in option 77. */
  readonly userClass: readonly string[];
  /** How the MAC begins, `52-54-00`. */
  readonly oui: readonly string[];
  /** Its clients get these too. */
  readonly options: readonly HardwareDhcpOption[];
}

export function classesOf(
  { options }: DhcpPacket,
  mac: string,
  classes: readonly ClientClass[],
): readonly ClientClass[] {
  if (classes.length === 0) return [];
  const archs = readOption(options, clientArch) ?? [];
  const vendor = readOption(options, vendorClass) ?? '';
  const users = readOption(options, userClass)?.classes ?? [];
  const fits = <T>(wanted: readonly T[], matches: (one: T) => boolean) => wanted.length === 0 || wanted.some(matches);
  return classes.filter(
    (one) =>
      fits(one.arch, (arch) => archs.includes(arch)) &&
      fits(one.vendorClass, (start) => vendor.startsWith(start)) &&
      fits(one.userClass, (user) => users.includes(user)) &&
      fits(one.oui, (start) => mac.startsWith(start)),
  );
}
