import { numberOf } from '@tinkerbell/domain';
import { describe, expect, it } from 'vitest';
import { readSubnets, SubnetFileError } from './read-subnets';

const whole = `
classes:
  - name: uefi
    arch: [7, 9]
    oui: ["52:54:00"]
    options:
      - { code: 43, type: hex, value: "0104" }
subnets:
  - subnet: 10.1.0.0/16
    name: lab
    sharedNetwork: wire
    router: 10.1.0.1
    nameServers: [10.1.0.2]
    timeServers: [10.1.0.3]
    domain: lab.example.org
    domainSearch: [lab.example.org, example.org]
    routes: [{ destination: 10.9.0.0/16, router: 10.1.0.9 }]
    leaseSeconds: 600
    identity: mac
    discovery: true
    probe: false
    pools:
      - ranges: [10.1.0.1-10.1.0.9, 10.1.1.0-10.1.1.3]
        exclude: [10.1.0.4-10.1.0.6, 10.1.1.0]
      - name: lab-uefi
        ranges: [10.1.2.7]
        classes: [uefi]
  - subnet: 10.2.0.0/24
    mode: auto-proxy
`;
const faults = (text: string): readonly string[] => {
  try {
    readSubnets(text, 'dhcp.yaml');
  } catch (error) {
    if (error instanceof SubnetFileError) return error.faults.map(({ path, message }) => `${path}: ${message}`);
    throw error;
  }
  return [];
};
const range = (first: string, last: string) => [numberOf(first), numberOf(last)];
const lab = (over: string) => `subnets:\n  - subnet: 10.1.0.0/24\n    ${over}\n    pools: [{ ranges: [10.1.0.9] }]\n`;

describe('a file of subnets', () => {
  it('says what is given out where', () => {
    const { classes, subnets } = readSubnets(whole, 'dhcp.yaml');
    expect(classes).toMatchObject([{ name: 'uefi', arch: [7, 9], vendorClass: [], oui: ['52-54-00'] }]);
    expect(subnets).toMatchObject([
      {
        ...{ name: 'lab', address: '10.1.0.0', prefix: 16, mode: 'pool', network: 'wire', discovery: true },
        pooled: {
          ...{ leaseSeconds: 600, quarantineSeconds: 86_400, identity: 'mac', probe: false },
          ...{ router: '10.1.0.1', nameServers: ['10.1.0.2'], timeServers: ['10.1.0.3'], domain: 'lab.example.org' },
          options: [{ code: 119 }, { code: 121 }],
        },
      },
      { name: '10.2.0.0/24', mode: 'auto-proxy' },
    ]);
  });
  it('leaves the router and what is excluded out of the ranges', () =>
    expect(readSubnets(whole, 'dhcp.yaml').subnets[0]?.pooled?.pools).toEqual([
      {
        ...{ name: 'lab', subnet: 'lab', classes: [] },
        ranges: [range('10.1.0.2', '10.1.0.3'), range('10.1.0.7', '10.1.0.9'), range('10.1.1.1', '10.1.1.3')],
      },
      { name: 'lab-uefi', subnet: 'lab', classes: ['uefi'], ranges: [range('10.1.2.7', '10.1.2.7')] },
    ]));

  it.each([
    ['subnets: [{ subnet: 10.1.0.7/24 }]', 'subnets[0].subnet: 10.1.0.7/24 does not begin at a network'],
    ['subnets: [{ subnet: 10.1.0.0/33 }]', 'subnets[0].subnet: 10.1.0.0/33 is not a network'],
    ['subnets: [{ subnet: 10.1.0.0/24 }]', 'subnets[0].pools: a subnet of mode pool needs at least one pool'],
    [lab('mode: pond'), 'subnets[0].mode: must be one of reservation, pool, proxy, auto-proxy, off, got "pond"'],
    [
      'subnets: [{ subnet: 10.1.0.0/24, mode: auto-proxy, discovery: false }]',
      'subnets[0].discovery: auto-proxy boots machines without a record; mode proxy leaves them alone',
    ],
    [lab('router: 10.2.0.1'), 'subnets[0].router: 10.2.0.1 is not in 10.1.0.0/24'],
    [lab('nameServers: ["::1"]'), 'subnets[0].nameServers[0]: ::1 is not an IPv4 address'],
    [lab('leaseSeconds: 5'), 'subnets[0].leaseSeconds: must be 60 to'],
    [lab('identity: dna'), 'subnets[0].identity: must be client-id or mac, got "dna"'],
    [lab('gateway: 10.1.0.1'), 'subnets[0].gateway: unknown key; known are'],
    [lab('domainSearch: ["-"]'), 'subnets[0].domainSearch[0].value[0]'],
    ['subnets: [{ subnet: 10.1.0.0/24, pools: [{}] }]', 'subnets[0].pools[0].ranges: there is no address in it'],
    [
      'subnets: [{ subnet: 10.1.0.0/24, pools: [{ ranges: [10.1.0.9-10.1.0.3] }] }]',
      'subnets[0].pools[0].ranges[0]: 10.1.0.9 comes after 10.1.0.3',
    ],
    [
      'subnets: [{ subnet: 10.1.0.0/24, pools: [{ ranges: [10.1.0.9-10.1.0.255] }] }]',
      'subnets[0].pools[0].ranges[0]: 10.1.0.255 is not an address of a machine in 10.1.0.0/24',
    ],
    [
      'subnets: [{ subnet: 10.1.0.0/24, pools: [{ ranges: [10.1.0.9], classes: [uefi] }] }]',
      'subnets[0].pools[0].classes[0]: there is no class "uefi"',
    ],
    [
      'subnets: [{ subnet: 10.1.0.0/24, pools: [{ ranges: [10.1.0.1-10.1.0.9] }, { ranges: [10.1.0.9] }] }]',
      'subnets: 10.1.0.9 is in pool 10.1.0.0/24 and in pool 10.1.0.0/24-2',
    ],
    ['subnets: [{ subnet: 10.0.0.0/7, pools: [{ ranges: [10.0.0.1-11.0.0.9] }] }]', 'more than 16777216'],
    ['subnets: [', 'Flow sequence'],
  ])('that is wrong is refused with the place: %s', (text, fault) => expect(faults(text).join('\n')).toContain(fault));
});
