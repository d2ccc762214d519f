import { rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  type MessageType,
  messageType,
  option,
  readOption,
  requestedAddress,
  serverIdentifier,
} from '@tinkerbell/dhcp';
import type { LeaseEvent } from '@tinkerbell/events';
import { InMemoryEventStore } from '@tinkerbell/event-store';
import { subjects } from '@tinkerbell/messaging';
import { expect, it } from 'vitest';
import { startBench } from '../boots.testing';
import type { BootsPorts } from '../start-boots';
import { requestOf } from './requests.testing';

const stream = subjects.stream('lease', 'default');
const file = join(tmpdir(), `clocks-${process.pid}.yaml`);

/** Of whom nobody else takes it over. */
const alone: NonNullable<BootsPorts['leadership']> = {
  run(_name, work, ready = Promise.resolve()) {
    const lost = new AbortController();
    const { signal } = lost;
    const running = ready.then(() => work({ epoch: 2, signal, isHeld: () => !signal.aborted }));
    return {
      async close() {
        lost.abort();
        await running;
      },
    };
  },
};

it('who takes over with a clock that is ahead gives nobody an address that is leased by the clock of the log', async () => {
  const store = new InMemoryEventStore();
  const client = { mac: '02-00-00-00-00-01', hardwareId: null, clientId: null };
  const holder = { ...client, ip: '127.0.1.1', subnet: 'lab', origin: 'pool' } as const;
  const times = { leaseSeconds: 600, expiresAt: new Date(Date.now() + 600_000).toISOString() };
  const bound: LeaseEvent = { type: 'LeaseBound', v: 2, data: { ...holder, ...times, hostname: '', giaddr: null } };
  const { head } = await store.read(stream);
  await store.append(stream, [bound], { expected: head, metadata: { id: 'earlier', actor: 'boots' } });
  const pools = 'pools: [{ ranges: [127.0.1.1-127.0.1.1] }]';
  await writeFile(file, `subnets:\n  - { subnet: 127.0.0.0/8, name: lab, probe: false, ${pools} }\n`);
  const clock = () => new Date(Date.now() + 700_000);
  const bench = await startBench({ store, clock, leadership: alone, settings: { BOOTS_DHCP_FILE: file } });
  try {
    const isActive = async () => (await bench.http('/metrics')).body.includes('boots_pool_active 1');
    await expect.poll(isActive).toBe(true);
    expect((await bench.http('/metrics')).body).toMatch(/^boots_clock_offset_seconds [1-9]/m);
    const ask = (n: number, type: MessageType) => {
      const options = [option(serverIdentifier, '127.0.0.1'), option(requestedAddress, '127.0.1.1')];
      return bench.dhcp(requestOf(type, options, { chaddr: Uint8Array.of(2, 0, 0, 0, 0, n) }));
    };
    expect(readOption((await ask(2, 'request')).options, messageType)).toBe('nak');
    expect((await ask(1, 'request')).yiaddr).toBe('127.0.1.1');
  } finally {
    await bench.close();
    await rm(file, { force: true });
  }
});
