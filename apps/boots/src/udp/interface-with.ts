import { type NetworkInterfaceInfo, networkInterfaces } from 'node:os';

/** Whether an address is on the wire of one of ours, by its netmask. */
export function isOnWireOf(ip: string, { address, netmask }: NetworkInterfaceInfo): boolean {
  const [one, other, mask] = [ip, address, netmask].map((text) => text.split('.').map(Number));
  return mask?.every((byte, i) => ((one?.[i] ?? 0) & byte) === ((other?.[i] ?? 0) & byte)) ?? false;
}

/** The interface that has an address; undefined: none that is up. */
export function interfaceWith(
  address: string,
  interfaces: Readonly<NodeJS.Dict<readonly NetworkInterfaceInfo[]>> = networkInterfaces(),
): string | undefined {
  const having = Object.entries(interfaces).flatMap(([name, all = []]) =>
    all.filter((one) => one.address === address).map(({ internal }) => ({ name, internal })),
  );
  const found = having.find(({ internal }) => !internal) ?? having[0];
  // An address with a label goes by that, which begins with the name and a colon.
  return found?.name.split(':')[0];
}
