import { rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { clientIdentifier, type MessageType, messageType, option, readOption } from '@tinkerbell/dhcp';
import type { LeaseEvent } from '@tinkerbell/events';
import { InMemoryEventStore } from '@tinkerbell/event-store';
import { subjects } from '@tinkerbell/messaging';
import { afterEach, expect, it } from 'vitest';
import { type Bench, machineAddress, startBench } from '../boots.testing';
import { chosen, mac, requestOf, wants } from './requests.testing';

const stream = subjects.stream('lease', 'default');
const begin = Date.parse('2026-01-01T00:00:00.000Z');
const hour = 3_600_000;
const file = join(tmpdir(), `taken-addresses-${process.pid}.yaml`);
const calls = (n: number) => option(clientIdentifier, { type: 0, id: Uint8Array.of(n) });
type Options = readonly (readonly [number, Uint8Array])[];

let bench: Bench;
let ms = begin;
afterEach(async () => {
  await bench.close();
  await rm(file, { force: true });
});

/** With the machine's address leased to another client for an hour. */
async function start(other: string | null, settings: Readonly<Record<string, unknown>> = {}) {
  ms = begin;
  const store = new InMemoryEventStore();
  const holder = { mac: other, hardwareId: null, clientId: '0007', ip: machineAddress, origin: 'pool' } as const;
  const times = { leaseSeconds: 3600, expiresAt: new Date(begin + hour).toISOString() };
  const data = { ...holder, ...times, subnet: 'lab', hostname: '', giaddr: null };
  const bound: LeaseEvent = { type: 'LeaseBound', v: 2, data };
  const { head } = await store.read(stream);
  await store.append(stream, [bound], { expected: head, metadata: { id: 'earlier', actor: 'boots' } });
  bench = await startBench({ store, clock: () => new Date(ms), settings });
}

async function startWithPool(other: string | null, range = '127.0.1.1-127.0.1.9') {
  const pool = `leaseSeconds: 7200, pools: [{ ranges: [${range}] }]`;
  await writeFile(file, `subnets:\n  - { subnet: 127.0.0.0/8, name: lab, probe: false, ${pool} }\n`);
  await start(other, { BOOTS_DHCP_FILE: file });
}

const ask = (type: MessageType, options: Options = []) => {
  ms += 1000;
  return bench.dhcp(requestOf(type, options));
};
/** By DISCOVER and REQUEST. */
async function take(options: Options = []): Promise<string> {
  const { yiaddr } = await ask('discover', options);
  const accepted = [chosen, wants(yiaddr)];
  const ack = await ask('request', [...accepted, ...options]);
  return `${readOption(ack.options, messageType)} ${ack.yiaddr}`;
}
const bound = async () =>
  (await bench.events()).flatMap(({ type, data }) => (type === 'LeaseBound' ? [data] : [])).slice(1);

const others = [
  ['another client', '02-00-00-00-00-07'],
  ['a client that is known by its id alone', null],
] as const;

it.each(others)('is offered to nobody while %s has it, and the recorder says why', async (_, other) => {
  await start(other);
  const isOffered = ask('discover');
  await expect
    .poll(async () => (await bench.events()).filter(({ type }) => type === 'BootRequestFailed'))
    .toMatchObject([{ data: { mac, reason: 'address-in-use', detail: 'discover, through relay 127.0.0.2' } }]);
  ms = begin + hour;
  expect(await take()).toBe(`ack ${machineAddress}`);
  expect(await Promise.race([isOffered, 'nothing'])).toBe('nothing');
});

it.each(others)('is not waited for where there are pools, while %s has it', async (_, other) => {
  await startWithPool(other);
  expect(await take()).toBe('ack 127.0.1.1');
  expect(await take()).toBe('ack 127.0.1.1');
  ms = begin + hour;
  expect(await take()).toBe(`ack ${machineAddress}`);
  expect(await bound()).toMatchObject([
    { mac, ip: '127.0.1.1', origin: 'pool' },
    { mac, ip: machineAddress, origin: 'reservation' },
  ]);
});

it('is its machine’s at once when that is the client that has it', async () => {
  await startWithPool(null);
  expect(await take([calls(7)])).toBe(`ack ${machineAddress}`);
  expect(await bound()).toMatchObject([{ mac, clientId: '0007', ip: machineAddress, origin: 'reservation' }]);
});

it('of boots itself is given to nobody, whatever the ranges say', async () => {
  await startWithPool('02-00-00-00-00-07', '127.0.0.1-127.0.0.3');
  const stranger = { chaddr: Uint8Array.of(2, 0, 0, 0, 0, 8) };
  const { yiaddr } = await bench.dhcp(requestOf('discover', [wants('127.0.0.1')], stranger));
  expect(yiaddr).toBe('127.0.0.2');
  const accepted = [chosen, wants('127.0.0.1')];
  const { options } = await bench.dhcp(requestOf('request', accepted, stranger));
  expect(readOption(options, messageType)).toBe('nak');
});
