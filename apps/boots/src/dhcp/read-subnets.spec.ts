import { readFile } from 'node:fs/promises';
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
  it('may be as the documentation has it', async () => {
    const blocks = [...(await readFile('docs/dhcp.md', 'utf8')).matchAll(/^```yaml\n([^]*?)^```/gm)];
    const files = blocks.map(([, text = '']) => readSubnets(text, 'docs/dhcp.md'));
    expect(files.some(({ subnets }) => subnets.length > 0)).toBe(true);
    expect(files.some(({ subnets6 }) => subnets6.length > 0)).toBe(true);
  });

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
    [lab('domainSearch: ["-"]'), 'subnets[0].domainSearch[0]: "-" is not a domain name'],
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

describe('what is wrong with a file', () => {
  const told = (text: string): string => {
    try {
      readSubnets(text, '/etc/dhcp.yaml');
    } catch (error) {
      if (error instanceof SubnetFileError) return error.message;
      throw error;
    }
    return 'nothing';
  };
  it('is told all at once, with file, line and column, in the order of the file', () => {
    const text = [
      'classes:',
      '  - name: uefi',
      '    arch: [uefi]',
      'subnets:',
      '  - subnet: 10.1.0.0/24',
      '    router: 10.2.0.1',
      '    probe: no',
      '    options: [{ code: 26, type: text, value: big }]',
      '    pools:',
      '      - ranges: [10.1.0.10-10.1.0.20]',
      '        class: [uefi]',
      '  - subnet: 10.3.0.1/24',
      '    mode: off',
    ];
    expect(told(text.join('\n')).split('\n')).toEqual([
      'BOOTS_DHCP_FILE cannot be used:',
      '/etc/dhcp.yaml:3:12: classes[0].arch[0]: must be a whole number, got "uefi"',
      '/etc/dhcp.yaml:6:13: subnets[0].router: 10.2.0.1 is not in 10.1.0.0/24',
      '/etc/dhcp.yaml:7:12: subnets[0].probe: must be true or false, got "no"',
      '/etc/dhcp.yaml:8:33: subnets[0].options[0].type: option 26 is of type uint16 (or hex), got text',
      '/etc/dhcp.yaml:11:16: subnets[0].pools[0].class: unknown key; known are name, ranges, exclude, classes',
      "/etc/dhcp.yaml:12:13: subnets[1].subnet: 10.3.0.1/24 does not begin at a network's first address; did you mean 10.3.0.0/24?",
    ]);
  });
  it('includes all that makes it no YAML', () => {
    const lines = told('subnets:\n  - subnet: 10.1.0.0/24\n    mode: off\n    mode: pool\n  - { name: [a }\n').split(
      '\n',
    );
    expect(lines[1]).toMatch(/^\/etc\/dhcp\.yaml:4:5: Map keys must be unique/);
    expect(lines[2]).toMatch(/^\/etc\/dhcp\.yaml:5:\d+: Flow sequence/);
  });
  it.each(['', '# later\n', '{}'])('includes that nothing is in it: %j', (text) =>
    expect(told(text)).toContain('/etc/dhcp.yaml:1:1: names neither subnets nor classes'),
  );
  it.each([
    ['mode: proxy\n    router: 10.1.0.1', 'router: mode proxy has no use for it; it is for modes pool and reservation'],
    ['mode: off\n    pools: []', 'pools: mode off has no use for it; it is for mode pool'],
    ['mode: reservation\n    probe: false', 'probe: mode reservation has no use for it; it is for mode pool'],
  ])('includes what would have no effect: %s', (text, fault) =>
    expect(told(`subnets:\n  - subnet: 10.1.0.0/24\n    ${text}\n`)).toContain(`subnets[0].${fault}`),
  );
  it('includes one network under two names', () => {
    const text = 'subnets: [{ subnet: 10.1.0.0/24, mode: off }, { subnet: 10.1.0.0/24, mode: off, name: b }]';
    expect(told(text)).toContain('subnets[1].subnet: 10.1.0.0/24 is also at subnets[0]');
  });
  it('is not told twice where an address cannot be read', () => {
    const text = 'subnets: [{ subnet: 10.1.0.0/24, pools: [{ ranges: [10.1.300.1] }] }]';
    expect(told(text).split('\n').slice(1)).toEqual([
      '/etc/dhcp.yaml:1:53: subnets[0].pools[0].ranges[0]: "10.1.300.1" is not an IP address',
    ]);
  });
  it('is not told twice where a network cannot be read', () => {
    const text = 'subnets: [{ subnet: 10.1.0.0, router: 10.1.0.1, pools: [{ ranges: [10.1.0.5-10.1.0.9] }] }]';
    expect(told(text).split('\n').slice(1)).toEqual([
      '/etc/dhcp.yaml:1:21: subnets[0].subnet: "10.1.0.0" is not a network like 10.1.0.0/16',
    ]);
  });
});

describe('an IPv6 subnet of the file', () => {
  const lab6 = (over: string) => `subnets:\n  - subnet: fd99::/64\n    range: fd99::a000/116\n    ${over}\n`;
  const pools6 = (pool: string, over = '') =>
    `classes: [{ name: uefi, arch: [7] }]\nsubnets:\n  - subnet: fd99::/64\n    pools:\n      - ${pool}\n` +
    `      - { name: rest, ranges: [fd99::b000/116] }\n${over}`;
  const read = (over: string) => readSubnets(lab6(over), 'dhcp.yaml').subnets6[0];
  const advertised = { managed: true, other: true, onLink: true, autonomous: false, routerSeconds: 0 };

  it('lies beside the IPv4 ones', () => {
    const { subnets, subnets6 } = readSubnets(
      `${whole}  - subnet: fd99::/64\n    name: lab6\n    range: fd99::a000/116\n    leaseSeconds: 600\n    nameServers: [fd99::53]\n`,
      'dhcp.yaml',
    );
    expect(subnets).toHaveLength(2);
    expect(subnets6).toMatchObject([
      {
        ...{ name: 'lab6', length: 64, leaseSeconds: 600, nameServers: ['fd99::53'] },
        pools: [{ name: 'lab6', ranges: [{ name: 'fd99::a000/116', size: 4096n }], classes: [] }],
      },
    ]);
  });
  it('may share its link with others', () => {
    expect(read('')?.sharedNetwork).toBeUndefined();
    expect(read('sharedNetwork: rack')?.sharedNetwork).toBe('rack');
    expect(() => read('sharedNetwork: "a b"')).toThrow('subnets[0].sharedNetwork');
  });
  it('has pools, some for classes', () => {
    const { subnets6 } = readSubnets(pools6('{ ranges: [fd99::10-fd99::1f, fd99::a000/116], classes: [uefi] }'), 'f');
    expect(subnets6[0]?.pools).toMatchObject([
      { name: 'fd99::/64', ranges: [{ size: 16n }, { size: 4096n }], classes: ['uefi'] },
      { name: 'rest', ranges: [{ name: 'fd99::b000/116' }], classes: [] },
    ]);
  });
  it('says what its clients are told, by name and by number', () => {
    const options = '[{ code: 65001, type: uint8, value: 3 }]';
    const { classes, subnets6 } = readSubnets(
      `classes: [{ name: uefi, arch: [7], options6: ${options} }]\n` +
        lab6(`domainSearch: [lab.example, example]\n    timeServers: [fd99::7, ntp.example]\n    options: ${options}`),
      'f',
    );
    const option = { code: 65001, type: 'uint8', value: 3 };
    expect(classes[0]?.options6).toEqual([option]);
    expect(subnets6[0]).toMatchObject({
      ...{ domainSearch: ['lab.example', 'example'], timeServers: ['fd99::7', 'ntp.example'], options: [option] },
    });
  });
  it('is not advertised unless it says so', () => {
    expect(read('')?.advertise).toBeUndefined();
    expect(read('advertise: false')?.advertise).toBeUndefined();
  });
  it('is advertised as one whose addresses come from DHCPv6, with no router', () => {
    expect(read('advertise: true')?.advertise).toEqual(advertised);
    expect(read('advertise: { routerSeconds: 1800 }')?.advertise).toEqual({ ...advertised, routerSeconds: 1800 });
    expect(read('advertise: { managed: false, autonomous: true }')?.advertise).toEqual({
      ...advertised,
      ...{ managed: false, autonomous: true },
    });
  });
  it.each([
    ['subnets: [{ subnet: "fd99::1/64" }]', 'subnets[0].subnet: fd99::1/64 has bits beyond its length of 64'],
    ['subnets: [{ subnet: "fd99::/64" }]', 'subnets[0].range: a subnet of mode pool needs one'],
    [lab6('mode: reservation'), 'subnets[0].range: a subnet of mode reservation has none'],
    [lab6('mode: proxy'), 'subnets[0].mode: must be pool or reservation, got "proxy"'],
    ['subnets: [{ subnet: "fd99::/64", range: "fd98::/112" }]', 'subnets[0].range: fd98::/112 is not inside fd99::/64'],
    [pools6('{ ranges: [fd99::1-fd98::1] }'), 'subnets[0].pools[0].ranges[0]: fd99::1 comes after fd98::1'],
    [pools6('{ ranges: [fd99::1-fd9a::1] }'), 'subnets[0].pools[0].ranges[0]: fd99::1-fd9a::1 is not inside fd99::/64'],
    [pools6('{ ranges: [fd99::1-] }'), 'subnets[0].pools[0].ranges[0]: "fd99::1-" is not a range such as'],
    [pools6('{ ranges: [] }'), 'subnets[0].pools[0].ranges: there is no address in it'],
    [pools6('{ ranges: [fd99::1/128], classes: [bios] }'), 'subnets[0].pools[0].classes[0]: there is no class "bios"'],
    [pools6('{ ranges: [fd99::b100-fd99::c000] }'), 'subnets: fd99::b100 is in pool rest and in pool fd99::/64'],
    [pools6('{ name: rest, ranges: [fd99::1/128] }'), 'pools: rest is there twice'],
    [pools6('{ ranges: [fd99::1/128] }', '    range: fd99::a000/116\n'), 'subnets[0].range: name it in pools'],
    [lab6('router: fd99::1'), 'subnets[0].router: unknown key'],
    [lab6('nameServers: [10.0.0.1]'), 'subnets[0].nameServers[0]: 10.0.0.1 is not an IPv6 address'],
    [lab6('domainSearch: [a..b]'), 'subnets[0].domainSearch[0]: "a..b" is not a domain name'],
    [lab6('timeServers: [10.0.0.1]'), 'subnets[0].timeServers[0]: "10.0.0.1" is neither an IPv6 address nor a name'],
    [lab6('options: [{ code: 82, type: text, value: a }]'), 'subnets[0].options[0].type: option 82 is of type uint32'],
    [
      lab6('nameServers: [fd99::53]\n    options: [{ code: 23, type: ips, value: [fd99::54] }]'),
      'subnets[0].options: option 23 is also nameServers',
    ],
    [
      'classes: [{ name: a, options6: [{ code: 1, type: hex, value: "00" }] }]',
      'classes[0].options6[0].code: option 1 cannot be set: it is what the client calls itself',
    ],
    [lab6('advertise: { routerSeconds: 9 }'), 'subnets[0].advertise.routerSeconds: must be 0, or 10 to 9000, got 9'],
    [lab6('advertise: { routerSeconds: 9001 }'), 'subnets[0].advertise.routerSeconds: must be 0 to 9000, got 9001'],
    [lab6('advertise: { managed: maybe }'), 'subnets[0].advertise.managed: must be true or false'],
    [lab6('advertise: { prefix: true }'), 'subnets[0].advertise.prefix: unknown key'],
    [
      'subnets: [{ subnet: "fd99::/60", range: "fd99::/112", advertise: { autonomous: true } }]',
      'subnets[0].advertise.autonomous: hosts make addresses of their own in a /64 only',
    ],
    [lab6('name: a') + '  - { subnet: fd98::/64, name: a, mode: reservation }', 'subnets: a is there twice'],
  ])('that is wrong is refused with the place: %s', (text, fault) => expect(faults(text).join('\n')).toContain(fault));
});
