import { rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type DhcpPacket, type MessageType, messageType, readOption } from '@tinkerbell/dhcp';
import { subjects } from '@tinkerbell/messaging';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { type Bench, machineAddress, recordAt, startBench } from '../boots.testing';
import { chosen, hardwareId, mac, requestOf, wants } from './requests.testing';

const hardware = subjects.stream('hardware', hardwareId);
type Options = readonly (readonly [number, Uint8Array])[];

let bench: Bench;
let ms = 0;
const file = join(tmpdir(), `changed-records-${process.pid}.yaml`);
beforeEach(async () => {
  ms = Date.parse('2026-01-01T00:00:00.000Z');
  const pool = 'pools: [{ ranges: [127.0.0.4-127.0.0.9] }]';
  await writeFile(file, `subnets:\n  - { subnet: 127.0.0.0/8, name: lab, probe: false, leaseSeconds: 600, ${pool} }\n`);
  bench = await startBench({ clock: () => new Date(ms), settings: { BOOTS_DHCP_FILE: file } });
});
afterEach(async () => {
  await bench.close();
  await rm(file, { force: true });
});

const told = ({ options, yiaddr }: DhcpPacket) => `${readOption(options, messageType)} ${yiaddr}`;
const ask = async (type: MessageType, options: Options = [], over: Partial<DhcpPacket> = {}) => {
  ms += 1000;
  return told(await bench.dhcp(requestOf(type, options, over)));
};
const take = async (over: Partial<DhcpPacket> = {}) => {
  const offer = await ask('discover', [], over);
  return ask('request', [chosen, wants(offer.split(' ')[1] ?? '')], over);
};
const deleteRecord = () => bench.append(hardware, { type: 'HardwareDeleted', v: 1, data: {} });
const events = async () =>
  (await bench.events()).flatMap(({ type, data }) =>
    type === 'LeaseBound' || type === 'LeaseExpired' || type === 'LeaseReleased' ? [[type, data.ip, data.mac]] : [],
  );

it.each<[string, Options, Partial<DhcpPacket>]>([
  ['renews', [], { ciaddr: machineAddress }],
  ['comes back', [wants(machineAddress)], {}],
])('a machine whose record is deleted keeps its address where that is of a pool: it %s', async (_, options, over) => {
  expect(await take()).toBe(`ack ${machineAddress}`);
  await deleteRecord();
  expect(await ask('request', options, over)).toBe(`ack ${machineAddress}`);
  const bound = (await bench.events()).filter(({ type }) => type === 'LeaseBound');
  expect(bound.map(({ data }) => data)).toMatchObject([
    { origin: 'reservation', hardwareId },
    { origin: 'pool', hardwareId: null },
  ]);
  const newcomer = { chaddr: Uint8Array.of(2, 0, 0, 0, 0, 1) };
  expect(await ask('discover', [wants(machineAddress)], newcomer)).toBe('offer 127.0.0.4');
});

it('and is offered it again when it begins anew', async () => {
  await take();
  await deleteRecord();
  expect(await take()).toBe(`ack ${machineAddress}`);
});

it('and may give it back', async () => {
  await take();
  await deleteRecord();
  await bench.relaySend(requestOf('release', [chosen], { ciaddr: machineAddress }));
  expect(await events()).toEqual([
    ['LeaseBound', machineAddress, mac],
    ['LeaseReleased', machineAddress, mac],
  ]);
});

it('a machine that is given a record has one address: that from the pool is free at once', async () => {
  await deleteRecord();
  expect(await take()).toBe('ack 127.0.0.4');
  await bench.append(hardware, { type: 'HardwareRegistered', v: 4, data: { hardware: recordAt(machineAddress) } });
  expect(await take()).toBe(`ack ${machineAddress}`);
  expect(await events()).toEqual([
    ['LeaseBound', '127.0.0.4', mac],
    ['LeaseExpired', '127.0.0.4', mac],
    ['LeaseBound', machineAddress, mac],
  ]);
});

it('an address that is reserved for another machine by now is refused at once to the one that comes back with it', async () => {
  const other = { chaddr: Uint8Array.of(2, 0, 0, 0, 0, 1) };
  await deleteRecord();
  expect(await ask('request', [chosen, wants(machineAddress)], other)).toBe(`ack ${machineAddress}`);
  await bench.append(hardware, { type: 'HardwareRegistered', v: 4, data: { hardware: recordAt(machineAddress) } });
  expect(await ask('request', [wants(machineAddress)], other)).toBe('nak 0.0.0.0');
});
