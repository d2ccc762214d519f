import { readFileSync } from 'node:fs';

/** `aa-bb-cc-dd-ee-ff` of an IPv4 address on one of our wires, as the kernel knows it by ARP; undefined: it does not, or is not Linux. */
export function neighbourMac(address: string): string | undefined {
  try {
    return macIn(readFileSync('/proc/net/arp', 'latin1'), address);
  } catch {
    return undefined;
  }
}

const complete = 0x2;

/** `table`: as proc(5) has it, one line an address: IP address, HW type, Flags, HW address, Mask, Device. */
export function macIn(table: string, address: string): string | undefined {
  for (const line of table.split('\n').slice(1)) {
    const [ip, , flags = '', mac = ''] = line.split(/ +/);
    if (ip === address && (Number(flags) & complete) !== 0 && /^(?:[\da-f]{2}:){5}[\da-f]{2}$/i.test(mac))
      return mac.toLowerCase().replaceAll(':', '-');
  }
  return undefined;
}
