import type { BootCommand } from '@tinkerbell/domain';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { silentLogger } from '../logger';
import { Metrics } from '../metrics';
import { type FailedRequest, FailedRequests } from './failed-requests';

const [mac, stranger] = ['52-54-00-99-00-01', '52-54-00-99-00-02'];
let now: number;
let stored: BootCommand[];
let metrics: Metrics;
let recorder: FailedRequests;

beforeEach(() => {
  now = Date.parse('2026-01-01T00:00:00.000Z');
  stored = [];
  metrics = new Metrics();
  recorder = new FailedRequests({
    machines: { byMac: (asked) => (asked === mac ? { hardwareId: 'one', mac, interface: {} as never } : undefined) },
    boots: {
      record: async (command) => {
        stored.push(command);
      },
    },
    metrics,
    log: silentLogger,
    clock: () => new Date(now),
  });
});
afterEach(() => recorder.close());

const request = (over: Partial<FailedRequest> = {}): FailedRequest => ({
  ...{ protocol: 'dhcp', reason: 'other-network', detail: 'discover', source: '10.0.0.1', mac },
  ...over,
});
const after = async (seconds: number) => {
  now += seconds * 1000;
  await recorder.flush();
};

describe('failed requests', () => {
  it('are kept at once, with what is known of the machine', () => {
    recorder.note(request());
    recorder.note(request({ mac: stranger, reason: 'unknown-machine' }));
    recorder.note({ protocol: 'tftp', reason: 'malformed', detail: 'too short', source: '10.0.0.9' });
    expect(stored).toMatchObject([
      { hardwareId: 'one', mac, reason: 'other-network', count: 1, firstAt: '2026-01-01T00:00:00.000Z' },
      { hardwareId: null, mac: stranger, reason: 'unknown-machine' },
      { hardwareId: null, mac: '00-00-00-00-00-00', protocol: 'tftp', source: '10.0.0.9' },
    ]);
  });

  it('when repeated are kept as a count with the first and the last time, more and more seldom', async () => {
    recorder.note(request());
    for (let i = 1; i <= 5; i++) {
      now += 1000;
      recorder.note(request());
    }
    await after(30);
    expect(stored).toHaveLength(1);
    await after(30);
    expect(stored[1]).toMatchObject({
      ...{ count: 5, firstAt: '2026-01-01T00:00:01.000Z', lastAt: '2026-01-01T00:00:05.000Z' },
    });
    recorder.note(request());
    await after(60);
    expect(stored).toHaveLength(2);
    await after(60);
    expect(stored[2]).toMatchObject({ count: 1 });
  });

  it('for one cause are told of by what was asked for, eight of them, and the rest together', async () => {
    const file = (name: string) => request({ protocol: 'tftp', reason: 'no-such-file', detail: name });
    for (let i = 0; i < 12; i++) recorder.note(file(`${i}.cfg`));
    recorder.note(file('1.cfg'));
    const details = () => stored.map((command) => 'detail' in command && command.detail);
    expect(details()).toEqual(Array.from({ length: 8 }, (_, i) => `${i}.cfg`));
    await after(60);
    expect(stored.slice(8)).toMatchObject([
      { detail: '1.cfg', count: 1 },
      { detail: 'others', count: 4 },
    ]);
  });

  it('of a MAC without a record are told of by name as long as strangers are', async () => {
    const asked = (i: number) => request({ mac: stranger, detail: `discover ${i}` });
    for (let i = 0; i < 98; i++) recorder.note(request({ mac: `52-54-00-00-01-${i}` }));
    for (let i = 0; i < 4; i++) recorder.note(asked(i));
    expect(stored.slice(98)).toMatchObject([{ detail: 'discover 0' }, { detail: 'discover 1' }]);
    expect(stored).toHaveLength(100);
    await after(60);
    expect(stored.slice(100)).toMatchObject([{ mac: stranger, detail: 'others', count: 2 }]);
  });

  it('are news again after a quiet time', async () => {
    recorder.note(request());
    await after(61);
    recorder.note(request());
    expect(stored).toHaveLength(2);
  });

  it('of made-up MACs are few in the log, and do not keep a machine out of it', async () => {
    for (let i = 0; i < 10_000; i++)
      recorder.note(request({ mac: `52-54-00-00-${Math.floor(i / 256).toString(16)}-${(i % 256).toString(16)}` }));
    expect(stored).toHaveLength(100);
    expect(metrics.total('failed_requests_unrecorded_total')).toBe(9900);
    recorder.note(request());
    expect(stored).toHaveLength(101);
  });

  it('that wait are kept at the end', async () => {
    recorder.note(request());
    recorder.note(request());
    await recorder.close();
    expect(stored).toMatchObject([{ count: 1 }, { count: 1 }]);
  });
});
