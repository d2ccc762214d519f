// Two boots of one lease pool on the loopback interface, over a nats-server: the one that is active ends leases.
import { rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type DhcpPacket, type MessageType, messageType, readOption } from '@tinkerbell/dhcp';
import { JetStreamEventStore } from '@tinkerbell/event-store';
import { BusUnavailableError, type EndRequest, Leadership, LeaseEnds, NatsBus, subjects } from '@tinkerbell/messaging';
import { startTestNats, type TestNats } from '@tinkerbell/nats';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Bench, machineAddress, startBench } from '../boots.testing';
import { chosen, mac as recorded, requestOf, wants } from '../dhcp/requests.testing';

const only = '127.0.1.10';
const settings = `
subnets:
  - { subnet: 127.0.0.0/8, name: lab, leaseSeconds: 600, quarantineSeconds: 3600, probe: false, pools: [{ ranges: [${only}] }] }
`;
const file = join(tmpdir(), `ends-${process.pid}.yaml`);

let nats: TestNats;
let bus: NatsBus;
let store: JetStreamEventStore;
let ends: LeaseEnds;
const benches: Bench[] = [];

async function start(): Promise<Bench> {
  const ports = { leadership: new Leadership(bus.connection), ends: new LeaseEnds(bus.connection) };
  const bench = await startBench({ store, ...ports, settings: { BOOTS_DHCP_FILE: file } });
  benches.push(bench);
  return bench;
}

async function until(isSo: () => Promise<boolean>): Promise<void> {
  while (!(await isSo())) await new Promise((resolve) => setTimeout(resolve, 20));
}

const role = async (bench: Bench) =>
  (JSON.parse((await bench.http('/healthz')).body) as { readonly pool: { readonly role: string } }).pool.role;
const ask = (bench: Bench, n: number, type: MessageType, address = '', over: Partial<DhcpPacket> = {}) => {
  const options = address === '' ? [] : [chosen, wants(address)];
  return bench.dhcp(requestOf(type, options, { chaddr: Uint8Array.of(2, 0, 0, 0, 0, n), ...over }));
};
const typeOf = ({ options }: DhcpPacket) => readOption(options, messageType);
const end = (ip: string, over: Partial<EndRequest> = {}) =>
  ends.ask('default', { ip, seen: null, dryRun: false, actor: 'user:ann', key: null, ...over });
const last = async () => (await store.read(subjects.stream('lease', 'default'))).events.at(-1);

beforeAll(async () => {
  nats = await startTestNats();
  store = await JetStreamEventStore.connect({ ...nats.engine, name: 'ends' });
  bus = await NatsBus.connect({ ...nats.engine, name: 'ends' });
  ends = new LeaseEnds(bus.connection);
  await writeFile(file, settings);
});
afterAll(async () => {
  for (const bench of benches.splice(0)) await bench.close();
  await bus?.close();
  await store?.close();
  await nats?.stop();
  await rm(file, { force: true });
});

describe('a lease of a pool that two boots share', () => {
  it('is ended by the one that is active: another client has the address at once, and its own is told no', async () => {
    await expect(end(only)).rejects.toThrow(
      new BusUnavailableError('lease pool default: no boots gives out leases for it'),
    );
    const active = await start();
    await until(async () => (await role(active)) === 'active');
    const standby = await start();
    expect(await role(standby)).toBe('standby');

    expect((await ask(active, 1, 'discover')).yiaddr).toBe(only);
    expect(typeOf(await ask(active, 1, 'request', only))).toBe('ack');
    const ended = await end(only);
    expect(ended).toMatchObject({ result: 'ended', lease: { ip: only, mac: '02-00-00-00-00-01', was: 'bound' } });
    // Stored before it is told.
    expect(await last()).toMatchObject({ event: { type: 'LeaseEnded' }, metadata: { actor: 'user:ann' } });

    expect((await ask(active, 2, 'discover')).yiaddr).toBe(only);
    expect(typeOf(await ask(active, 2, 'request', only))).toBe('ack');
    const renewal = await ask(active, 1, 'request', '', { ciaddr: only });
    expect(typeOf(renewal)).toBe('nak');
    expect(await end(only, { seen: { was: 'bound', mac: '02-00-00-00-00-01', clientId: null } })).toEqual({
      ...{ result: 'refused', reason: 'other', message: `${only} is leased to 02:00:00:00:00:02 by now` },
    });
  });

  it('goes on with its client when that asks before anybody else does', async () => {
    const [active] = benches as [Bench];
    expect(await end(only)).toMatchObject({ result: 'ended' });
    const renewal = await ask(active, 2, 'request', '', { ciaddr: only });
    expect([typeOf(renewal), renewal.yiaddr]).toEqual(['ack', only]);
    expect(await last()).toMatchObject({ event: { type: 'LeaseBound' }, metadata: { actor: 'boots' } });
  });

  it('is not one that is answered again from memory: its client’s repeated question is decided anew', async () => {
    const [active] = benches as [Bench];
    expect(typeOf(await ask(active, 2, 'request', only))).toBe('ack');
    expect(await end(only)).toMatchObject({ result: 'ended' });
    expect((await ask(active, 3, 'discover')).yiaddr).toBe(only);
    expect(typeOf(await ask(active, 3, 'request', only))).toBe('ack');
    expect(typeOf(await ask(active, 2, 'request', only))).toBe('nak');
  });

  it('may be in quarantine: after a DECLINE its address is given out again', async () => {
    const [active] = benches as [Bench];
    const decline = requestOf('decline', [chosen, wants(only)], {
      chaddr: Uint8Array.of(2, 0, 0, 0, 0, 3),
    });
    await active.relaySend(decline);
    await until(async () => (await last())?.event.type === 'LeaseDeclined');
    expect(await end(only, { dryRun: true })).toMatchObject({ result: 'ended', lease: { was: 'declined' } });
    expect((await last())?.event.type).toBe('LeaseDeclined');
    expect(await end(only)).toMatchObject({ result: 'ended', lease: { was: 'declined' } });
    expect((await ask(active, 4, 'discover')).yiaddr).toBe(only);
  });

  it('is refused where there is none, and where there can be none', async () => {
    const [active] = benches as [Bench];
    const none = { result: 'refused', reason: 'none' };
    expect(await end(machineAddress)).toMatchObject({
      ...none,
      message: `${machineAddress} was never leased, and is in no quarantine`,
    });
    expect(await end('127.0.9.9')).toMatchObject({
      ...{ result: 'refused', reason: 'outside', message: '127.0.9.9 is in no pool, and no hardware record has it' },
    });
    // A reservation stays one: its machine gets the address again.
    expect(typeOf(await active.lease())).toBe('ack');
    expect(await end(machineAddress)).toMatchObject({
      result: 'ended',
      lease: { mac: recorded, origin: 'reservation' },
    });
    expect(typeOf(await active.lease())).toBe('ack');
  });

  it('is ended by the other one after a take-over', async () => {
    const [active, standby] = benches as [Bench, Bench];
    expect(typeOf(await ask(active, 4, 'request', only))).toBe('ack');
    benches.shift();
    await active.close();
    await until(async () => (await role(standby)) === 'active');
    expect(await end(only)).toMatchObject({ result: 'ended', lease: { mac: '02-00-00-00-00-04' } });
    expect((await ask(standby, 6, 'discover')).yiaddr).toBe(only);
  });
});
