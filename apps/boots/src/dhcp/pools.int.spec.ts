import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  clientIdentifier,
  decodePacket,
  type DhcpPacket,
  dnsServers,
  domainName,
  encodePacket,
  hostName,
  leaseTime,
  message,
  type MessageType,
  messageType,
  noAddress,
  option,
  readOption,
  routers,
  subnetMask,
} from '@tinkerbell/dhcp';
import { subjects } from '@tinkerbell/messaging';
import { afterEach, describe, expect, it } from 'vitest';
import { type Bench, machineAddress, startBench } from '../boots.testing';
import { chosen, firmware, mac as recordedMac, requestOf, wants } from './requests.testing';

const settings = (over = '') => `
classes:
  - { name: uefi, arch: [7] }
subnets:
  - subnet: 127.0.0.0/8
    name: lab
    router: 127.255.0.1
    nameServers: [127.255.0.2]
    leaseSeconds: 600
    quarantineSeconds: 3600
    probe: false
    ${over}
    pools:
      - ranges: [127.0.1.10-127.0.1.12]
      - { name: lab-uefi, ranges: [127.0.2.1], classes: [uefi] }
`;
type Options = readonly (readonly [number, Uint8Array])[];
const calls = (name: string) => option(clientIdentifier, { type: 0, id: new TextEncoder().encode(name) });

let bench: Bench;
let file = '';
let ms = Date.parse('2026-01-01T00:00:00.000Z');
afterEach(() => bench.close());

async function start(over = '', more: Partial<Parameters<typeof startBench>[0]> = {}) {
  file = join(tmpdir(), `dhcp-${process.pid}-${Math.random()}.yaml`);
  await writeFile(file, settings(over));
  const changed = { ...more.settings, BOOTS_DHCP_FILE: file };
  bench = await startBench({ ...more, clock: () => new Date(ms), settings: changed });
}

function packet(n: number, type: MessageType, options: Options, over: Partial<DhcpPacket> = {}): DhcpPacket {
  const chaddr = Uint8Array.of(2, 0, 0, 0, 0, n);
  return requestOf(type, options, { chaddr, ...over });
}
const ask = (n: number, type: MessageType, options: Options = [], over: Partial<DhcpPacket> = {}) => {
  ms += 1000;
  return bench.dhcp(packet(n, type, options, over));
};
const typeOf = ({ options }: DhcpPacket) => readOption(options, messageType);
const take = async (n: number, options: Options = []) => {
  const { yiaddr } = await ask(n, 'discover', options);
  return ask(n, 'request', [chosen, wants(yiaddr), ...options]);
};
const events = async () =>
  (await bench.store.read(subjects.stream('lease', 'default'))).events.map(({ event }) => event);
const eventsOf = async (...types: string[]) => (await events()).filter(({ type }) => types.includes(type));
/** What is not answered: something else that is asked afterwards is answered first. */
const isSilent = async (n: number, type: MessageType, options: Options, over: Partial<DhcpPacket> = {}) => {
  let answered = false;
  void ask(n, type, options, over).then(() => (answered = true));
  await ask(99, 'discover');
  return !answered;
};

async function clientAt(address: string): Promise<Socket> {
  const client = createSocket('udp4');
  await new Promise<void>((resolve) => client.bind({ address, port: 0 }, resolve));
  return client;
}

describe('a client without a record', () => {
  it('takes an address with what its subnet says, stored before the answer', async () => {
    await start();
    const offer = await ask(1, 'discover');
    expect([typeOf(offer), offer.yiaddr]).toEqual(['offer', '127.0.1.10']);
    expect(readOption(offer.options, leaseTime)).toBe(600);
    expect(readOption(offer.options, routers)).toEqual(['127.255.0.1']);
    expect(readOption(offer.options, dnsServers)).toEqual(['127.255.0.2']);
    expect(readOption(offer.options, subnetMask)).toBe('255.0.0.0');
    expect(await eventsOf('LeaseBound')).toEqual([]);
    const ack = await ask(1, 'request', [chosen, wants('127.0.1.10'), option(hostName, 'kiosk')]);
    expect([typeOf(ack), ack.yiaddr]).toEqual(['ack', '127.0.1.10']);
    expect(await eventsOf('LeaseBound')).toMatchObject([
      {
        data: {
          ...{ mac: '02-00-00-00-00-01', hardwareId: null, ip: '127.0.1.10', subnet: 'lab', origin: 'pool' },
          ...{ hostname: 'kiosk', leaseSeconds: 600, clientId: null },
        },
      },
    ]);
    expect(await eventsOf('PoolDefined')).toMatchObject([
      { data: { pool: 'lab', size: 3, ranges: ['127.0.1.10-127.0.1.12'] } },
      { data: { pool: 'lab-uefi', size: 1 } },
    ]);
  });

  it('keeps its address: renewing, rebinding, after a restart of its own, and after a release', async () => {
    await start();
    await take(1);
    await take(2);
    const renewed = await ask(1, 'request', [], { ciaddr: '127.0.1.10' });
    expect([typeOf(renewed), renewed.yiaddr]).toEqual(['ack', '127.0.1.10']);
    expect(typeOf(await ask(1, 'request', [wants('127.0.1.10')]))).toBe('ack');
    await bench.relaySend(packet(1, 'release', [chosen], { ciaddr: '127.0.1.10' }));
    expect((await ask(3, 'discover')).yiaddr).toBe('127.0.1.12');
    expect((await ask(1, 'discover')).yiaddr).toBe('127.0.1.10');
    expect((await eventsOf('LeaseRenewed', 'LeaseReleased')).map(({ type, data }) => [type, data])).toMatchObject([
      ['LeaseRenewed', { clientState: 'rebinding' }],
      ['LeaseRenewed', { clientState: 'init-reboot' }],
      ['LeaseReleased', { ip: '127.0.1.10', origin: 'pool' }],
    ]);
  });

  it('is another one by another id, whatever its MAC', async () => {
    await start();
    expect((await take(1, [calls('one')])).yiaddr).toBe('127.0.1.10');
    expect((await take(1, [calls('two')])).yiaddr).toBe('127.0.1.11');
    const again = await take(7, [calls('one')]);
    expect([again.yiaddr, readOption(again.options, clientIdentifier)]).toEqual([
      '127.0.1.10',
      { type: 0, id: new TextEncoder().encode('one') },
    ]);
  });

  it('is the same whatever it boots, where the MAC decides', async () => {
    await start('identity: mac');
    await take(1, [calls('firmware')]);
    expect((await take(1, [calls('system')])).yiaddr).toBe('127.0.1.10');
  });

  it('is refused an address of another network or of another client, and not answered about one that nobody knows', async () => {
    await start();
    await take(1);
    const foreign = await ask(2, 'request', [wants('10.0.0.9')]);
    expect([typeOf(foreign), readOption(foreign.options, message)]).toEqual([
      'nak',
      '10.0.0.9 is not free for this machine',
    ]);
    expect(typeOf(await ask(2, 'request', [wants('127.0.1.10')]))).toBe('nak');
    expect(typeOf(await ask(2, 'request', [chosen, wants('127.0.1.10')]))).toBe('nak');
    expect(await isSilent(2, 'request', [wants('127.0.1.11')])).toBe(true);
    expect(await isSilent(2, 'request', [], { ciaddr: '127.0.1.11' })).toBe(true);
    expect(await eventsOf('LeaseRefused')).toMatchObject([
      { data: { ip: null, requested: '10.0.0.9' } },
      { data: { ip: null, requested: '127.0.1.10' } },
      { data: { ip: null, requested: '127.0.1.10' } },
    ]);
  });

  it('that declines its address gets another, and nobody else gets that one', async () => {
    await start();
    await take(1);
    await bench.relaySend(packet(1, 'decline', [chosen, wants('127.0.1.10')]));
    expect((await take(1)).yiaddr).toBe('127.0.1.11');
    expect((await ask(2, 'discover', [wants('127.0.1.10')])).yiaddr).toBe('127.0.1.12');
    const [declined] = await eventsOf('LeaseDeclined');
    expect(declined).toMatchObject({ data: { ip: '127.0.1.10', origin: 'pool' } });
    ms += 3_601_000;
    expect((await ask(3, 'discover', [wants('127.0.1.10')])).yiaddr).toBe('127.0.1.10');
  });

  it('is served while others only ask, and comes in time for what it was offered before them', async () => {
    await start();
    const offered: string[] = [];
    for (const n of [1, 2, 3, 4, 5]) offered.push((await ask(n, 'discover')).yiaddr);
    expect(offered).toEqual(['127.0.1.10', '127.0.1.11', '127.0.1.12', '127.0.1.10', '127.0.1.11']);
    const request = async (n: number, ip: string) => typeOf(await ask(n, 'request', [chosen, wants(ip)]));
    expect(await request(1, '127.0.1.10')).toBe('ack');
    expect(await request(5, '127.0.1.11')).toBe('ack');
    expect([await request(4, '127.0.1.10'), await request(2, '127.0.1.11')]).toEqual(['nak', 'nak']);
  });

  it('cannot release or decline what another one has', async () => {
    await start();
    await take(1);
    await bench.relaySend(packet(2, 'release', [chosen], { ciaddr: '127.0.1.10' }));
    await bench.relaySend(packet(2, 'decline', [chosen, wants('127.0.1.10')]));
    await ask(3, 'discover');
    expect(await eventsOf('LeaseReleased', 'LeaseDeclined')).toEqual([]);
  });

  it('goes on with the address that it has from the server before, when it renews that with us', async () => {
    const client = await clientAt('127.0.1.11');
    await start('', { settings: { BOOTS_DHCP_CLIENT_PORT: client.address().port } });
    const renew = async (n: number, ciaddr: string) => {
      ms += 1000;
      const answer = once(client, 'message') as Promise<[Uint8Array]>;
      const bytes = encodePacket(packet(n, 'request', [], { ciaddr, xid: n }));
      client.send(bytes, bench.boots.dhcp?.port ?? 0, '127.0.0.1');
      const { options, yiaddr } = decodePacket((await answer)[0]);
      return [readOption(options, messageType), yiaddr];
    };
    expect(await renew(1, '127.0.1.11')).toEqual(['ack', '127.0.1.11']);
    expect(await eventsOf('LeaseBound')).toMatchObject([{ data: { mac: '02-00-00-00-00-01', ip: '127.0.1.11' } }]);
    // Nobody else is given that, and it is not given another.
    expect((await ask(2, 'discover', [wants('127.0.1.11')])).yiaddr).toBe('127.0.1.10');
    expect(typeOf(await ask(2, 'request', [], { ciaddr: '127.0.1.11' }))).toBe('nak');
    expect(typeOf(await ask(1, 'request', [], { ciaddr: '127.0.1.12' }))).toBe('nak');
    client.close();
  });

  it('asks for the rest with an address of its own', async () => {
    const client = await clientAt('127.0.9.9');
    await start('', { settings: { BOOTS_DHCP_CLIENT_PORT: client.address().port } });
    const answer = once(client, 'message') as Promise<[Uint8Array]>;
    bench.relay(encodePacket(packet(1, 'inform', [], { ciaddr: '127.0.9.9', giaddr: '127.0.0.2' })));
    const ack = decodePacket((await answer)[0]);
    client.close();
    expect([typeOf(ack), ack.yiaddr, readOption(ack.options, leaseTime)]).toEqual(['ack', noAddress, undefined]);
    expect(readOption(ack.options, dnsServers)).toEqual(['127.255.0.2']);
  });

  it('gets nothing when all are taken, and that is told', async () => {
    await start();
    for (const n of [1, 2, 3]) await take(n);
    let answered = false;
    void bench.dhcp(packet(4, 'discover', [])).then(() => (answered = true));
    expect((await take(5, firmware(7))).yiaddr).toBe('127.0.2.1');
    expect(answered).toBe(false);
    expect(bench.boots.metrics.total('dhcp_pool_exhausted_total', { subnet: 'lab' })).toBe(1);
    const crossed = async () => (await eventsOf('PoolUtilisationCrossed')).length;
    await expect.poll(crossed).toBe(2);
    expect(await eventsOf('PoolUtilisationCrossed')).toMatchObject([
      { data: { pool: 'lab', level: 100, used: 3 } },
      { data: { pool: 'lab-uefi', level: 100, used: 1 } },
    ]);
    expect(bench.boots.metrics.text({})).toContain('boots_dhcp_pool_used{pool="lab"} 3');
    ms += 601_000;
    const expired = async () => (await eventsOf('LeaseExpired')).length;
    await expect.poll(expired).toBe(4);
    expect((await ask(6, 'discover')).yiaddr).toBe('127.0.1.10');
  });

  it('has the same address after a restart of boots, and so has nobody else', async () => {
    await start();
    const { store } = bench;
    await take(1);
    await bench.close();
    await start('', { store });
    expect((await ask(2, 'discover')).yiaddr).toBe('127.0.1.11');
    expect(typeOf(await ask(1, 'request', [wants('127.0.1.10')]))).toBe('ack');
  });

  it('is told what to boot only where that is wanted', async () => {
    await start();
    expect(await ask(1, 'discover', firmware(0))).toMatchObject({ file: '', siaddr: noAddress });
    await bench.close();
    await start('discovery: true');
    expect(await ask(1, 'discover', firmware(0))).toMatchObject({ file: 'undionly.kpxe', siaddr: '127.0.0.1' });
  });

  it('gets its own discovery script, and not that of another', async () => {
    await start('discovery: true');
    const { yiaddr } = await ask(1, 'request', [chosen, wants('127.0.1.10')]);
    const scriptOf = async (n: number) =>
      (await bench.http(`/02:00:00:00:00:0${n}/auto.ipxe`, { from: yiaddr })).status;
    expect([await scriptOf(2), await scriptOf(1)]).toEqual([403, 200]);
  });
});

describe('the file while boots runs', () => {
  const health = async () => JSON.parse((await bench.http('/healthz')).body) as { dhcpFile?: { fault?: string } };
  it('is in force a moment after it changed; a wrong one is refused, and what was before goes on', async () => {
    await start();
    await take(1);
    // Offered, and not taken yet.
    expect((await ask(2, 'discover')).yiaddr).toBe('127.0.1.11');
    const changed = settings('domain: new.example').replace('127.0.1.10-127.0.1.12', '127.0.1.11-127.0.1.40');
    await writeFile(file, changed.replace('lab-uefi', 'lab-arm'));
    const pools = async () => (await eventsOf('PoolDefined', 'PoolDropped')).length;
    await expect.poll(pools, { timeout: 20_000 }).toBe(5);
    expect((await eventsOf('PoolDefined', 'PoolDropped')).slice(2)).toMatchObject([
      { type: 'PoolDropped', data: { pool: 'lab-uefi' } },
      { type: 'PoolDefined', data: { pool: 'lab', size: 30 } },
      { type: 'PoolDefined', data: { pool: 'lab-arm' } },
    ]);
    // The offer stands, and nobody else gets that address.
    expect((await ask(3, 'discover')).yiaddr).toBe('127.0.1.12');
    const ack = await ask(2, 'request', [chosen, wants('127.0.1.11')]);
    expect([typeOf(ack), ack.yiaddr, readOption(ack.options, domainName)]).toEqual([
      'ack',
      '127.0.1.11',
      'new.example',
    ]);
    // What is in no pool any more ends with the next renewal that comes to us alone.
    expect(await isSilent(1, 'request', [wants('127.0.1.10')])).toBe(true);
    const text = () => bench.boots.metrics.text({});
    await expect.poll(text).toContain('boots_dhcp_pool_size{pool="lab"} 30');
    expect(text()).not.toContain('pool="lab-uefi"');

    await writeFile(file, changed.replace('leaseSeconds: 600', 'leaseSeconds: 6'));
    const fault = async () => (await health()).dhcpFile?.fault;
    await expect.poll(fault, { timeout: 20_000 }).toContain(`${file}:9:19: subnets[0].leaseSeconds: must be 60 to`);
    expect(text()).toContain('boots_dhcp_file_ok 0');
    expect((await ask(4, 'discover')).yiaddr).toBe('127.0.1.14');
    await writeFile(file, changed);
    await expect.poll(fault, { timeout: 20_000 }).toBeUndefined();
    expect(text()).toContain('boots_dhcp_file_ok 1');
  }, 90_000);
});

describe('a proxy that comes with the file while boots runs', () => {
  const proxy = `${settings('domain: new.example')}  - { subnet: 127.0.0.4/30, mode: proxy }\n`;
  const fault = async () =>
    (JSON.parse((await bench.http('/healthz')).body) as { dhcpFile: { fault?: string } }).dhcpFile.fault;
  const domainOf = async (n: number) => readOption((await take(n)).options, domainName);
  const closed = (socket: Socket) => new Promise<void>((resolve) => socket.close(() => resolve()));
  it(
    'has its port, and nothing of the change is in force while another program has that',
    { timeout: 90_000 },
    async () => {
      const other = await clientAt('127.0.0.1');
      const { port } = other.address();
      await start('', { settings: { BOOTS_DHCP_PXE_PORT: port } });
      await writeFile(file, proxy);
      await expect
        .poll(fault, { timeout: 20_000 })
        .toMatch(new RegExp(`^cannot listen for DHCP on 127\\.0\\.0\\.1:${port}: .*EADDRINUSE`));
      expect(await domainOf(1)).toBeUndefined();
      await closed(other);
      await expect.poll(fault, { timeout: 20_000 }).toBeUndefined();
      expect(await domainOf(2)).toBe('new.example');

      const client = await clientAt(machineAddress);
      const answered = once(client, 'message') as Promise<[Uint8Array]>;
      client.send(encodePacket(requestOf('request', firmware(0), { ciaddr: machineAddress })), port, '127.0.0.1');
      const [bytes] = await answered;
      expect(decodePacket(bytes)).toMatchObject({ yiaddr: noAddress, ciaddr: machineAddress, file: 'undionly.kpxe' });
      await closed(client);

      await writeFile(file, settings());
      const bindable = async () => {
        const next = createSocket('udp4');
        const bound = new Promise<boolean>((resolve) => {
          next.once('error', () => resolve(false));
          next.bind({ address: '127.0.0.1', port }, () => resolve(true));
        });
        const isFree = await bound;
        await closed(next);
        return isFree;
      };
      await expect.poll(bindable, { timeout: 20_000 }).toBe(true);
    },
  );

  it('is not there while what the file advertises cannot be sent', { timeout: 90_000 }, async () => {
    const other = await clientAt('127.0.0.1');
    const { port } = other.address();
    await closed(other);
    const by6 = { PUBLIC_IP6: '::1', BOOTS_DHCP6: 'true', BOOTS_DHCP6_INTERFACES: 'lo', BOOTS_DHCP6_PORT: 0 };
    await start('', { settings: { ...by6, BOOTS_DHCP_PXE_PORT: port, BOOTS_RADVD: '/nowhere/radvd' } });
    await writeFile(file, `${proxy}  - { subnet: '::/64', mode: reservation, advertise: true }\n`);
    await expect.poll(fault, { timeout: 20_000 }).toContain('/nowhere/radvd is not installed');
    expect(await domainOf(1)).toBeUndefined();
    const free = createSocket('udp4');
    await new Promise<void>((resolve) => free.bind({ address: '127.0.0.1', port }, resolve));
    await closed(free);
  });
});

describe('a machine with a reservation', () => {
  const chaddr = Uint8Array.from(recordedMac.split('-'), (pair) => parseInt(pair, 16));
  it('gets that, and nobody else does', async () => {
    await start();
    expect((await ask(1, 'discover', [wants(machineAddress)])).yiaddr).toBe('127.0.1.10');
    const ack = await ask(0, 'request', [chosen, wants(machineAddress)], { chaddr });
    expect([typeOf(ack), ack.yiaddr]).toEqual(['ack', machineAddress]);
    expect((await eventsOf('LeaseBound')).at(-1)).toMatchObject({ data: { origin: 'reservation' } });
  });
});
