import type { NetworkInterfaceInfo } from 'node:os';
import type { BootsConfig } from './boots.config';
import { isOnWireOf } from './udp/interface-with';

type Settings = Pick<BootsConfig, 'PUBLIC_IP' | 'BOOTS_FURTHER_IPS' | 'BOOTS_HTTP_ADDRESS'>;

/** PUBLIC_IP, then those on other wires. Throws TypeError. */
export function ownAddresses({ PUBLIC_IP, BOOTS_FURTHER_IPS, BOOTS_HTTP_ADDRESS }: Settings): readonly string[] {
  const further = BOOTS_FURTHER_IPS.split(',').map((text) => text.trim());
  const all = [PUBLIC_IP, ...further.filter((text) => text !== '')];
  const twice = all.find((address, i) => all.indexOf(address) !== i);
  if (twice !== undefined) throw new TypeError(`BOOTS_FURTHER_IPS: ${twice} is there twice, or is PUBLIC_IP`);
  if (all.length > 1 && BOOTS_HTTP_ADDRESS !== '0.0.0.0')
    throw new TypeError(
      `BOOTS_FURTHER_IPS needs HTTP at all addresses, and BOOTS_HTTP_ADDRESS is ${BOOTS_HTTP_ADDRESS}`,
    );
  return all;
}

/** The settings of one of them. */
export function settingsAt<C extends Settings>(config: C, address: string): C {
  return { ...config, PUBLIC_IP: address, BOOTS_FURTHER_IPS: '' };
}

/** The one of ours that a machine reaches on its own wire; behind a router the first. */
export function ownAddressFor(
  machine: string,
  own: readonly string[],
  interfaces: Readonly<NodeJS.Dict<readonly NetworkInterfaceInfo[]>>,
): string {
  const [first = ''] = own;
  if (own.length < 2) return first;
  const near = Object.values(interfaces).flatMap((all = []) => all.filter((one) => isOnWireOf(machine, one)));
  return own.find((address) => near.some((one) => one.address === address)) ?? first;
}
