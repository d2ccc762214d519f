import { describe, expect, it } from 'vitest';
import { LeaseFileError, type LeaseFormat } from './lease-file';
import { guessFormat, readLeaseFiles } from './read-lease-file';

const read = (format: LeaseFormat, ...texts: readonly string[]) =>
  readLeaseFiles(
    texts.map((text, at) => ({ name: `file${at + 1}`, text })),
    format,
  );
const faults = (format: LeaseFormat, text: string): readonly string[] => {
  try {
    read(format, text);
  } catch (error) {
    if (error instanceof LeaseFileError) return error.message.split('\n');
    throw error;
  }
  return [];
};
const at = { epoch: 1_764_234_000, iso: '2025-11-27T09:00:00.000Z' };

const keaHeader =
  'address,hwaddr,client_id,valid_lifetime,expire,subnet_id,fqdn_fwd,fqdn_rev,hostname,state,user_context';
const kea = (...rows: readonly string[]) => [keaHeader, ...rows, ''].join('\n');
const keaRow = (
  ip: string,
  over: { life?: number; expire?: number; host?: string; state?: number; more?: string } = {},
) => {
  const { life = 600, expire = at.epoch, host = '', state = 0, more = '' } = over;
  return `${ip},52:54:00:12:34:56,01:52:54:00:12:34:56,${life},${expire},1,0,0,${host},${state},${more}`;
};
const lease = {
  ...{ kind: 'lease', family: 4, mac: '52-54-00-12-34-56', clientId: '01525400123456' },
  ...{ hostname: '', state: 'bound', expiresAt: at.iso },
};

describe('the file of Kea', () => {
  it('says of each lease whose it is and until when', () =>
    expect(read('kea', kea(keaRow('10.0.0.5', { host: 'node-1.lab.', more: '{ "a": 1&#x2c "b": 2 }' })))).toEqual([
      { ...lease, ip: '10.0.0.5', hostname: 'node-1.lab', file: 'file1', line: 2 },
    ]));
  it('counts by its last line, of the last file', () => {
    const first = kea(keaRow('10.0.0.5', { host: 'old' }), keaRow('10.0.0.6'), keaRow('10.0.0.7'));
    const second = kea(
      keaRow('10.0.0.6', { life: 0 }),
      keaRow('10.0.0.5', { host: 'a' }),
      keaRow('10.0.0.5', { host: 'b' }),
    );
    expect(read('kea', first, second).map((entry) => [entry.ip, entry.kind, entry.file, entry.line])).toEqual([
      ['10.0.0.7', 'lease', 'file1', 4],
      ['10.0.0.6', 'ended', 'file2', 2],
      ['10.0.0.5', 'lease', 'file2', 4],
    ]);
  });
  it('knows declined, reclaimed, released and endless leases', () => {
    const rows = [1, 2, 3].map((state) => keaRow(`10.0.0.${state}`, { state }));
    const endless = keaRow('10.0.0.4', { life: 4_294_967_295, expire: 6_059_201_295 });
    const hidden = `10.0.0.5,,,600,${at.epoch},1,0,0,,1,`;
    expect(read('kea', kea(...rows, endless, hidden))).toMatchObject([
      { ip: '10.0.0.1', state: 'declined' },
      { ip: '10.0.0.2', kind: 'ended' },
      { ip: '10.0.0.3', kind: 'ended' },
      { ip: '10.0.0.4', state: 'bound', expiresAt: null },
      { ip: '10.0.0.5', state: 'declined', mac: null, clientId: null },
    ]);
  });
  it('has its columns in any order, and no state before Kea 1.0', () => {
    const text = `address,hostname,expire,valid_lifetime,client_id,hwaddr\r\n10.0.0.5,a,${at.epoch},600,,52:54:00:12:34:56\r\n`;
    expect(read('kea', text)).toMatchObject([{ ...lease, ip: '10.0.0.5', hostname: 'a', clientId: null }]);
  });
  it('has no MAC where the hardware is not Ethernet', () =>
    expect(read('kea', kea(`10.0.0.5,00:01:02:03:04:05:06:07,ff:01,600,${at.epoch},1,0,0,,0,`))).toMatchObject([
      { mac: null, clientId: 'ff01' },
    ]));
  it('has IPv6 leases by DUID and IAID, and prefixes and temporary addresses that nobody here leases', () => {
    const header =
      'address,duid,valid_lifetime,expire,subnet_id,pref_lifetime,lease_type,iaid,prefix_len,fqdn_fwd,fqdn_rev,hostname,hwaddr,state';
    const row = (ip: string, type: number, hwaddr = '') =>
      `${ip},00:03:00:01:52:54:00:99:00:01,600,${at.epoch},1,300,${type},10,128,0,0,,${hwaddr},0`;
    const text = [
      header,
      row('2001:DB8::5', 0),
      row('2001:db8::6', 0, '52:54:00:12:34:56'),
      row('2001:db8::7', 1),
      row('2001:db8:1::', 2),
    ];
    const six = { family: 6, clientId: '00030001525400990001:0000000a' };
    expect(read('kea', text.join('\n'))).toMatchObject([
      { ip: '2001:db8::5', ...six, mac: '52-54-00-99-00-01' },
      { ip: '2001:db8::6', ...six, mac: '52-54-00-12-34-56' },
      { ip: '2001:db8::7', kind: 'temporary' },
      { ip: '2001:db8:1::', kind: 'prefix' },
    ]);
  });
  it.each([
    ['', 'file1:1: is empty: a file of Kea begins with the names of its columns'],
    ['10.0.0.5,a', 'file1:1: header: names no column address, hwaddr, client_id, valid_lifetime, expire, hostname'],
    ['address,hwaddr', 'file1:1: header: names no column client_id, valid_lifetime, expire, hostname'],
    [kea('10.0.0.5,52:54'), 'file1:2: has 2 fields, the header names 11'],
    [kea(keaRow('10.0.0.300')), 'file1:2: address: "10.0.0.300" is no IPv4 address'],
    [kea(keaRow('fd99::1')), 'file1:2: address: "fd99::1" is no IPv4 address'],
    [
      kea(keaRow('10.0.0.5').replace('600', '-1')),
      'file1:2: valid_lifetime: "-1" is no whole number from 0 to 4294967295',
    ],
    [kea(keaRow('10.0.0.5').replace(`${at.epoch}`, 'soon')), 'file1:2: expire: "soon" is no whole number from 0 to'],
    [kea(keaRow('10.0.0.5', { state: 9 })), 'file1:2: state: "9" is no whole number from 0 to 4'],
    [
      kea(keaRow('10.0.0.5').replace('52:54:00:12:34:56,01', '52:5x,01')),
      'file1:2: hwaddr: "52:5x" is no list of bytes',
    ],
    [
      kea(keaRow('10.0.0.5').replace('01:52:54', '01::54')),
      'file1:2: client_id: "01::54:00:12:34:56" is no list of bytes',
    ],
  ])('that is wrong is refused with the place: %#', (text, fault) =>
    expect(faults('kea', text).join('\n')).toContain(fault),
  );
  it('is refused with all that is wrong', () =>
    expect(faults('kea', kea(keaRow('a'), keaRow('10.0.0.5'), keaRow('b', { state: 7 })))).toHaveLength(3));
});

const isc = (body: string, ip = '10.0.0.5') => `lease ${ip} {\n${body}\n}\n`;
const active = 'ends 4 2025/11/27 09:00:00;\nbinding state active;\nhardware ethernet 52:54:00:12:34:56;\n';

describe('the file of ISC dhcpd', () => {
  it('says of each lease whose it is and until when', () => {
    const text = `# The format of this file is documented in the dhcpd.leases(5) manual page.
authoring-byte-order little-endian;
server-duid "\\000\\001\\000\\0012\\233\\375Y\\302@7\\373C\\225";
failover peer "a \\"b\\"; {" state { my state normal at 4 2025/11/27 08:00:00; }
lease 10.0.0.5 {
  starts 4 2025/11/27 08:00:00; # Thu
  ends 4 2025/11/27 09:00:00;
  cltt 4 2025/11/27 08:00:00;
  binding state active;
  next binding state free;
  rewind binding state free;
  hardware ethernet 52:54:00:12:34:56;
  uid "\\001RT\\000\\0224V";
  set vendor-class-identifier = "PXEClient:Arch:00007";
  option agent.circuit-id 0:1:2;
  client-hostname "node-1";
  on expiry { set a = "}"; log(info, "x"); }
}
`;
    expect(read('isc', text)).toEqual([{ ...lease, ip: '10.0.0.5', hostname: 'node-1', file: 'file1', line: 5 }]);
  });
  it('counts by the last block of an address', () => {
    const text = isc(active) + isc(active, '10.0.0.6') + isc(active.replace('active', 'free'));
    expect(read('isc', text)).toMatchObject([
      { ip: '10.0.0.6', kind: 'lease' },
      { ip: '10.0.0.5', kind: 'ended', line: 13 },
    ]);
  });
  it.each([
    ['ends epoch 1764234000; # Thu Nov 27 09:00:00 2025', at.iso],
    ['ends never;', null],
    ['ends 4 2025/11/27 9:00:00;', at.iso],
  ])('writes times in several ways: %s', (ends, expiresAt) =>
    expect(read('isc', isc(active.replace(/ends .*/, ends)))).toMatchObject([{ expiresAt }]),
  );
  it.each([
    ['uid 01:52:54:0:12:34:56;', '01525400123456'],
    ['uid "\\x01\\"\\\\\\t";', '01225c09'],
    ['uid "";', null],
    ['', null],
  ])('writes client ids in several ways: %s', (uid, clientId) =>
    expect(read('isc', isc(active + uid))).toMatchObject([{ clientId }]),
  );
  it.each(['expired', 'released', 'reset', 'backup', 'free'])('knows leases that are over: %s', (state) =>
    expect(read('isc', isc(`binding state ${state};`))).toMatchObject([{ kind: 'ended' }]),
  );
  it('knows addresses that it abandoned, by the old word too', () => {
    const text =
      isc('binding state abandoned; ends never;') + isc('ends 4 2025/11/27 09:00:00; abandoned;', '10.0.0.6');
    expect(read('isc', text)).toMatchObject([
      { state: 'abandoned', expiresAt: null, mac: null },
      { state: 'abandoned', expiresAt: at.iso },
    ]);
  });
  it('has IPv6 leases, of a client by its last block', () => {
    // IAID 10, DUID-LL.
    const name = '\\012\\000\\000\\000\\000\\003\\000\\001RT\\000\\231\\000\\001';
    const inner = (ip: string, state = 'active') =>
      `iaaddr ${ip} { binding state ${state}; preferred-life 375; max-life 600; ends 4 2025/11/27 09:00:00; }`;
    const text = `ia-na "${name}" { cltt 4 2025/11/27 08:00:00; ${inner('2001:db8::5')} ${inner('2001:db8::6')} }
ia-na "${name}" { ${inner('2001:db8::6')} ${inner('2001:db8::7', 'released')} }
ia-pd "${name}" { iaprefix 2001:db8:1::/64 { binding state active; ends never; } }
ia-ta "${name}" { ${inner('2001:db8::8')} }
authoring-byte-order big-endian;
ia-na "\\000\\000\\000\\012\\000\\004aa" { ${inner('2001:db8::9')} }
`;
    expect(read('isc', text)).toMatchObject([
      {
        ip: '2001:db8::6',
        kind: 'lease',
        clientId: '00030001525400990001:0000000a',
        mac: '52-54-00-99-00-01',
        line: 2,
      },
      { ip: '2001:db8::7', kind: 'ended' },
      { ip: '2001:db8:1::/64', kind: 'prefix' },
      { ip: '2001:db8::8', kind: 'temporary' },
      { ip: '2001:db8::9', clientId: '00046161:0000000a', mac: null },
    ]);
  });
  it.each([
    ['lease 10.0.0.5 {\n ends never;\n', 'file1:1: the block that begins here has no end'],
    ['lease 10.0.0.5 {\n ends never', 'file1:2: ends: the file ends before its ;'],
    ['lease 10.0.0.5 {\n ends never\n}', 'file1:2: ends: has no ; behind it'],
    ['\n}\n', 'file1:2: has a } without its {'],
    ['lease 10.0.0.5 {\n uid "abc', 'file1:2: a text in quotes has no end'],
    ['lease 10.0.0.5;', 'file1:1: lease: 10.0.0.5 has no block'],
    [isc(active, 'node'), 'file1:1: lease: "node" is no IPv4 address'],
    [isc('binding state active;'), 'file1:1: ends: is missing: when does the lease end?'],
    [isc(active.replace('active', 'happy')), 'file1:3: binding state: "happy" is none of free, active, expired'],
    [isc(active.replace('11/27', '13/27')), 'file1:2: ends: "4 2025/13/27 09:00:00" is no time such as'],
    [isc(active.replace('11/27', '02/30')), 'file1:2: ends: "4 2025/02/30 09:00:00" is no time such as'],
    [isc(active.replace('52:54', '52:5g')), 'file1:4: hardware: "52:5g:00:12:34:56" is no Ethernet address'],
    [isc(`${active}uid 1::2;`), 'file1:5: uid: "1::2" is neither bytes in quotes nor such as 01:52:54'],
    [isc(`${active}uid "\u20ac";`), 'file1:5: uid: "\u20ac" is neither bytes in quotes'],
    ['ia-na "a" { }', 'file1:1: ia-na: its name is no IAID of four bytes and DUID, in quotes'],
    [`${'a {'.repeat(20)}`, 'file1:1: has blocks in blocks, more than 16 deep'],
  ])('that is wrong is refused with the place: %#', (text, fault) =>
    expect(faults('isc', text).join('\n')).toContain(fault),
  );
});

describe('the file of dnsmasq', () => {
  const line = (ip: string, expiry: number | string = at.epoch, mac = '52:54:00:12:34:56') =>
    `${expiry} ${mac} ${ip} node-1 01:52:54:00:12:34:56`;
  it('says of each lease whose it is and until when', () => {
    const text = [
      line('10.0.0.5'),
      `0 52:54:00:12:34:57 10.0.0.6 * *`,
      line('10.0.0.7', 1, '06-00:11:22:33:44:55'),
      '',
    ];
    expect(read('dnsmasq', text.join('\n'))).toEqual([
      { ...lease, ip: '10.0.0.5', hostname: 'node-1', file: 'file1', line: 1 },
      { ...lease, ip: '10.0.0.6', mac: '52-54-00-12-34-57', clientId: null, expiresAt: null, file: 'file1', line: 2 },
      {
        ...lease,
        ip: '10.0.0.7',
        mac: null,
        hostname: 'node-1',
        expiresAt: '1970-01-01T00:00:01.000Z',
        file: 'file1',
        line: 3,
      },
    ]);
  });
  it('has IPv6 leases behind the DUID of the server', () => {
    const duid = '00:03:00:01:52:54:00:99:00:01';
    const text = `${line('10.0.0.5')}\nduid ${duid}\n${at.epoch} 10 2001:db8::5 * ${duid}\n${at.epoch} T10 2001:db8::6 * ${duid}\n`;
    expect(read('dnsmasq', text)).toMatchObject([
      { ip: '10.0.0.5' },
      {
        ip: '2001:db8::5',
        family: 6,
        clientId: '00030001525400990001:0000000a',
        mac: '52-54-00-99-00-01',
        hostname: '',
      },
      { ip: '2001:db8::6', kind: 'temporary' },
    ]);
  });
  it.each([
    ['1 2 3', 'file1:1: has 3 fields, a lease has 5: expiry, MAC, address, host name, client id'],
    [line('10.0.0.5', 'soon'), 'file1:1: expiry: "soon" is no time in seconds since 1970'],
    [line('10.0.0'), 'file1:1: address: "10.0.0" is no IPv4 address'],
    [line('10.0.0.5', 1, 'x'), 'file1:1: MAC: "x" is no MAC address'],
    [
      line('10.0.0.5').replace('01:', 'id:'),
      'file1:1: client id: "id:52:54:00:12:34:56" is neither * nor a list of bytes',
    ],
    [`duid 00:01\n${line('10.0.0.5')}`, 'file1:2: address: "10.0.0.5" is no IPv6 address'],
    ['duid 00:01\n1 x fd99::1 * 00:01:02', 'file1:2: IAID: "x" is no IAID'],
    ['duid 00:01\n1 1 fd99::1 * 00', 'file1:2: client DUID: "00" is no DUID'],
  ])('that is wrong is refused with the place: %#', (text, fault) =>
    expect(faults('dnsmasq', text).join('\n')).toContain(fault),
  );
});

describe('whose file it is', () => {
  it.each([
    [kea(), 'kea'],
    [isc(active), 'isc'],
    ['# The format of this file is documented in the dhcpd.leases(5) manual page.\n', 'isc'],
    ['server-duid "a";', 'isc'],
    ['1 52:54:00:12:34:56 10.0.0.5 * *', 'dnsmasq'],
    ['duid 00:01:00:01', 'dnsmasq'],
    ['', undefined],
    ['hello world', undefined],
  ])('is said by how it begins: %#', (text, format) => expect(guessFormat(text)).toBe(format));
});

/** xorshift32: the same texts in each run. */
function* numbers(seed: number): Generator<number> {
  for (let state = seed; ;) {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    yield state >>> 0;
  }
}

describe('hostile files', () => {
  const samples: Readonly<Record<LeaseFormat, string>> = {
    kea: kea(keaRow('10.0.0.5', { more: 'a&#x2cb' }), keaRow('10.0.0.6', { state: 1 })),
    isc: `${isc(`${active}uid "\\001\\"b"; on expiry { set a = "}"; }`)}ia-na "\\001\\000\\000\\000\\000\\003\\000\\001RT" { iaaddr fd99::1 { ends never; binding state active; } }\n`,
    dnsmasq: `${at.epoch} 52:54:00:12:34:56 10.0.0.5 * *\nduid 00:01:02\n1 10 fd99::1 * 00:03:00:01\n`,
  };
  const formats = Object.keys(samples) as readonly LeaseFormat[];
  const survives = (format: LeaseFormat, text: string) => {
    guessFormat(text);
    const before = faults(format, text);
    // Each fault names its line.
    for (const fault of before) expect(fault).toMatch(/^file1:\d+: |^and \d+ more$/);
  };

  it.each(formats)('of %s, cut off anywhere, are read or refused', (format) => {
    const text = samples[format];
    for (let end = 0; end < text.length; end++) survives(format, text.slice(0, end));
  });
  it.each(formats)('of %s, with anything in them, are read or refused', (format) => {
    const next = numbers(format.length + 7);
    const number = (below: number) => Number(next.next().value) % below;
    const odd = [
      '"',
      '\\',
      '{',
      '}',
      ';',
      ',',
      '\n',
      '\0',
      '&#x',
      ':',
      ' ',
      '#',
      '\u20ac',
      '\ud800',
      '9'.repeat(400),
      '-',
    ];
    for (let run = 0; run < 3000; run++) {
      let text = samples[format];
      for (let change = 0; change <= number(3); change++) {
        const place = number(text.length);
        text = text.slice(0, place) + (odd[number(odd.length)] ?? '') + text.slice(place + number(4));
      }
      survives(format, text);
    }
  });
  it('of one format, taken for another, are refused', () => {
    for (const format of formats) {
      for (const other of formats.filter((name) => name !== format && name !== 'isc')) {
        expect(faults(other, samples[format])).not.toEqual([]);
      }
    }
  });
  it('that are deep or long are read in one pass', () => {
    expect(faults('isc', '{'.repeat(100_000))).toHaveLength(1);
    expect(faults('isc', '"'.padEnd(1_000_000, '\\a'))).toEqual(['file1:1: a text in quotes has no end']);
    expect(faults('kea', `address,${','.repeat(100_000)}`)).toHaveLength(1);
  });
});
