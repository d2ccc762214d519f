import type { NetworkInterfaceInfo } from 'node:os';
import { describe, expect, it } from 'vitest';
import { arpProbe, arpSender, wireWith } from './arp';

const hex = (text: string) => new Uint8Array(Buffer.from(text.replaceAll(' ', ''), 'hex'));

describe('an ARP question', () => {
  it('is from nobody', () =>
    expect(arpProbe('02:89:00:00:00:01', '10.89.0.50')).toEqual(
      hex('0001 0800 06 04 0001 028900000001 00000000 000000000000 0a590032'),
    ));

  it.each([
    ['an answer', '0001 0800 06 04 0002 02890000000a 0a590032 028900000001 00000000', '10.89.0.50'],
    // What an Ethernet frame is filled up with.
    ['padding', `0001 0800 06 04 0002 02890000000a 0a590032 028900000001 00000000 ${'00'.repeat(18)}`, '10.89.0.50'],
    ['a question of its own', '0001 0800 06 04 0001 02890000000a 0a590032 000000000000 0a590001', '10.89.0.50'],
  ])('is answered by %s', (_, bytes, ip) => expect(arpSender(hex(bytes))).toEqual({ ip, mac: '02-89-00-00-00-0a' }));

  it.each([
    ['a question from nobody', '0001 0800 06 04 0001 02890000000a 00000000 000000000000 0a590032'],
    ['another network', '0006 0800 06 04 0002 02890000000a 0a590032 028900000001 00000000'],
    ['another protocol', '0001 86dd 06 04 0002 02890000000a 0a590032 028900000001 00000000'],
    ['addresses of another length', '0001 0800 08 04 0002 02890000000a 0a590032 028900000001 00000000'],
    ['another operation', '0001 0800 06 04 0003 02890000000a 0a590032 028900000001 00000000'],
    ['nothing', ''],
  ])('is not answered by %s', (_, bytes) => expect(arpSender(hex(bytes))).toBeUndefined());

  it('is not answered by what is cut off', () => {
    const answer = hex('0001 0800 06 04 0002 02890000000a 0a590032 028900000001 00000000');
    for (let length = 0; length < answer.length; length++)
      expect(arpSender(answer.subarray(0, length))).toBeUndefined();
  });
});

describe('the wire of an address', () => {
  const own = (address: string, netmask: string, mac: string, internal = false): NetworkInterfaceInfo => ({
    ...{ address, netmask, mac, internal, family: 'IPv4', cidr: null },
  });
  const interfaces = {
    lo: [own('127.0.0.1', '255.0.0.0', '00:00:00:00:00:00', true)],
    'br0:boots': [own('10.89.0.1', '255.255.255.0', '02:89:00:00:00:01')],
    'br0.100': [own('10.88.0.1', '255.255.254.0', '02:88:00:00:00:01')],
  };
  const subnet = (address: string, prefix: number, network?: string) =>
    ({ name: address, address, prefix, mode: 'pool', ...(network === undefined ? {} : { network }) }) as const;
  const subnets = [
    subnet('10.89.0.0', 24, 'wire'),
    subnet('10.87.0.0', 24, 'wire'),
    subnet('10.86.0.0', 24, 'far'),
    subnet('10.85.0.0', 24, 'far'),
    subnet('10.88.0.0', 22),
  ];
  it.each([
    ['10.89.0.50', 'br0'],
    ['10.88.1.20', 'br0.100'],
    ['10.87.0.20', 'br0'],
    ['10.88.2.20', 'br0.100'],
    ['10.86.0.20', undefined],
    ['10.84.0.20', undefined],
    ['127.0.0.5', undefined],
  ])('%s: %s', (ip, name) => expect(wireWith(ip, interfaces, { subnets })?.name).toBe(name));

  it('is told by the netmask alone where no subnet is', () => {
    expect(wireWith('10.89.0.50', interfaces, { subnets: [] })?.name).toBe('br0');
    expect(wireWith('10.88.2.20', interfaces, { subnets: [] })).toBeUndefined();
  });
});
