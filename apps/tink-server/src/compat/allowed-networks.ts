import { BlockList, isIP } from 'node:net';

export class NetworkListError extends Error {}

/** Addresses and CIDRs, comma-separated → whether an address is in one of them. Throws NetworkListError naming the faulty part. */
export function allowedNetworks(text: string): (address: string) => boolean {
  const list = new BlockList();
  for (const part of text.split(',').map((one) => one.trim())) {
    if (part !== '') add(list, part);
  }
  return (address) => {
    const family = isIP(address);
    return family !== 0 && list.check(address, family === 6 ? 'ipv6' : 'ipv4');
  };
}

function add(list: BlockList, part: string): void {
  const [address = '', bits] = part.split('/');
  const family = isIP(address);
  const most = family === 6 ? 128 : 32;
  const prefix = bits === undefined ? most : /^\d{1,3}$/.test(bits) ? Number(bits) : NaN;
  if (family === 0 || !(prefix <= most))
    throw new NetworkListError(`${JSON.stringify(part)} is neither an address nor a CIDR`);
  list.addSubnet(address, prefix, family === 6 ? 'ipv6' : 'ipv4');
}

/** The address of grpc-js's `getPeer()`, `1.2.3.4:5` or `::1:5`, IPv4 in IPv6 as IPv4. */
export function addressOfPeer(peer: string): string {
  return peer
    .replace(/^ipv[46]:/, '')
    .replace(/:\d+$/, '')
    .replace(/^\[(.*)\]$/, '$1')
    .replace(/^::ffff:(?=\d+\.)/, '');
}
