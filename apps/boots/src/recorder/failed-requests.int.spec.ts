import { encodePacket } from '@tinkerbell/dhcp';
import type { AnyEvent } from '@tinkerbell/events';
import { subjects } from '@tinkerbell/messaging';
import { afterEach, describe, expect, it } from 'vitest';
import { type Bench, machineAddress, startBench } from '../boots.testing';
import { firmware, hardwareId, mac, requestOf } from '../dhcp/requests.testing';

let bench: Bench | undefined;
const start = async (...options: Parameters<typeof startBench>) => (bench = await startBench(...options));
afterEach(async () => {
  await bench?.close();
  bench = undefined;
});

describe('what was not served', () => {
  const failed = async () =>
    ((await bench?.events()) ?? []).filter(({ type }) => type === 'BootRequestFailed').map(({ data }) => data);

  it('is in the stream of the machine, with the cause', async () => {
    const { lease, http, relay } = await start({ interface: { allow_pxe: false } });
    await lease(...firmware(9999));
    await http('/osie/no-kernel');
    // The way to its own disk is what it is to have.
    expect((await http('/01:02:03:04:05:06/auto.ipxe')).body).toContain('booting its own disk');
    relay(encodePacket(requestOf('discover', firmware(7))).subarray(0, 236));
    await expect.poll(failed).toMatchObject([
      { hardwareId, mac, reason: 'no-boot-file', detail: expect.stringContaining('architecture 9999') },
      { protocol: 'http', reason: 'no-such-file', source: machineAddress },
      { protocol: 'dhcp', reason: 'malformed', source: expect.stringMatching(/^127/) },
    ]);
  });

  it('is in the stream of a MAC that no record has', async () => {
    const { relay, store, boots } = await start({});
    const stranger = { ...requestOf('discover', firmware(7)), chaddr: Uint8Array.of(2, 0, 0, 0, 0, 9) };
    for (let xid = 1; xid < 4; xid++) relay(encodePacket({ ...stranger, xid }));
    const dropped = () => boots.metrics.total('dhcp_dropped_total', { reason: 'unknown-machine' });
    await expect.poll(dropped).toBe(3);
    await boots.close();
    const { events } = await store.read<AnyEvent>(subjects.stream('boot', '02-00-00-00-00-09'));
    expect(events.map(({ event }) => event.data)).toMatchObject([
      { hardwareId: null, reason: 'unknown-machine', count: 1 },
      { count: 2 },
    ]);
  });
});
