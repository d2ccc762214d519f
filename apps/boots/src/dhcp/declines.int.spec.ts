import { rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type MessageType, messageType, readOption } from '@tinkerbell/dhcp';
import type { LeaseEvent } from '@tinkerbell/events';
import { InMemoryEventStore } from '@tinkerbell/event-store';
import { subjects } from '@tinkerbell/messaging';
import { afterEach, expect, it } from 'vitest';
import { type Bench, startBench } from '../boots.testing';
import { chosen, requestOf, wants } from './requests.testing';

const stream = subjects.stream('lease', 'default');
const begin = Date.parse('2026-01-01T00:00:00.000Z');

let bench: Bench;
let ms = begin;
const file = join(tmpdir(), `declines-${process.pid}.yaml`);
afterEach(async () => {
  await bench.close();
  await rm(file, { force: true });
});

async function start(last: number, over: { readonly probe: boolean; readonly store?: InMemoryEventStore }) {
  ms = begin;
  const { probe, store } = over;
  const pool = `pools: [{ ranges: [127.0.1.1-127.0.1.${last}] }]`;
  await writeFile(file, `subnets:\n  - { subnet: 127.0.0.0/8, name: lab, probe: ${probe}, ${pool} }\n`);
  bench = await startBench({ clock: () => new Date(ms), settings: { BOOTS_DHCP_FILE: file }, ...(store && { store }) });
}

function packet(n: number, type: MessageType, options: readonly (readonly [number, Uint8Array])[] = []) {
  ms += 1000;
  return requestOf(type, options, { chaddr: Uint8Array.of(2, 0, 0, 0, 0, n) });
}
async function take(n: number): Promise<string> {
  const { yiaddr } = await bench.dhcp(packet(n, 'discover'));
  const ack = await bench.dhcp(packet(n, 'request', [chosen, wants(yiaddr)]));
  expect(readOption(ack.options, messageType)).toBe('ack');
  return yiaddr;
}
const decline = (n: number, ip: string) => bench.relaySend(packet(n, 'decline', [chosen, wants(ip)]));
/** Of machine 1: what the recorder says is not served. */
const eventsOf = async (type: string) =>
  [...(await bench.store.read<LeaseEvent>(stream)).events, ...(await recorded())].flatMap(({ event }) =>
    event.type === type ? [event.data] : [],
  );
const recorded = async () => (await bench.store.read(subjects.stream('boot', '02-00-00-00-00-01'))).events;

it('a client that declines again and again takes four addresses from the others, and then gets none for a while', async () => {
  await start(50, { probe: false });
  for (const ip of ['127.0.1.1', '127.0.1.2', '127.0.1.3', '127.0.1.4']) {
    expect(await take(1)).toBe(ip);
    await decline(1, ip);
  }
  await bench.relaySend(packet(1, 'discover'));
  await bench.relaySend(packet(1, 'request', [chosen, wants('127.0.1.9')]));
  expect(await take(2)).not.toBe('127.0.1.9');
  expect(await eventsOf('LeaseDeclined')).toHaveLength(4);
  expect(await eventsOf('LeaseRefused')).toEqual([]);
  await expect
    .poll(() => eventsOf('BootRequestFailed'))
    .toMatchObject([
      { reason: 'declined-too-often', detail: 'discover, through relay 127.0.0.2', count: 1 },
      { reason: 'declined-too-often', detail: 'request, through relay 127.0.0.2', count: 1 },
    ]);
  ms += 600_000;
  expect(await take(1)).toMatch(/^127\.0\.1\./);
});

it('addresses that were declined come back when no other is left, longest ago first, and the log says so', async () => {
  await start(3, { probe: false });
  for (const n of [1, 2, 3]) await decline(n, await take(n));
  expect([await take(4), await take(5)]).toEqual(['127.0.1.1', '127.0.1.2']);
  expect(await eventsOf('QuarantineEnded')).toMatchObject([
    { ip: '127.0.1.1', subnet: 'lab', probed: false },
    { ip: '127.0.1.2', subnet: 'lab', probed: false },
  ]);
  expect(await take(6)).toBe('127.0.1.3');
  await bench.relaySend(packet(7, 'discover'));
  expect(await eventsOf('QuarantineEnded')).toHaveLength(3);
});

it('but not where somebody answers', async () => {
  const store = new InMemoryEventStore();
  const client = { mac: '02-00-00-00-00-01', hardwareId: null, clientId: null };
  const holder = { ...client, ip: '127.0.1.1', subnet: 'lab', origin: 'pool' } as const;
  const times = { leaseSeconds: 3600, expiresAt: '2026-01-01T01:00:00.000Z' };
  const history: readonly LeaseEvent[] = [
    { type: 'LeaseBound', v: 2, data: { ...holder, ...times, hostname: '', giaddr: null } },
    { type: 'LeaseDeclined', v: 2, data: { ...holder, message: '', quarantinedUntil: '2026-01-02T00:00:00.000Z' } },
  ];
  const { head } = await store.read(stream);
  await store.append(stream, history, { expected: head, metadata: { id: 'earlier', actor: 'boots' } });
  // Everybody answers on the loopback network.
  await start(1, { probe: true, store });
  bench.relay(new Uint8Array());
  await bench.relaySend(packet(4, 'discover'));
  await expect.poll(() => eventsOf('LeaseConflictFound')).toMatchObject([{ ip: '127.0.1.1', method: 'icmp' }]);
  await bench.relaySend(packet(4, 'discover'));
  expect([await eventsOf('QuarantineEnded'), await eventsOf('LeaseBound')]).toMatchObject([[], [{}]]);
});
