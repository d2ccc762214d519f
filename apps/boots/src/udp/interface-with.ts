import { type NetworkInterfaceInfo, networkInterfaces } from 'node:os';

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
