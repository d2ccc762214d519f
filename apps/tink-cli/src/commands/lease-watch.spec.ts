import { leaseRenewed, recorded } from '@tinkerbell/testing';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { LeaseItem } from '../api-types';
import { FakeTinkServer, refusal } from '../testing/fake-tink-server';
import { runTink, type Surrounding } from '../testing/run-tink';
import { leaseItem } from '../testing/samples';

let fake: FakeTinkServer;
let server: string;
let leases: readonly LeaseItem[];
beforeEach(async () => {
  fake = new FakeTinkServer();
  server = await fake.start();
  leases = [leaseItem({ ip: '10.0.0.5' }), leaseItem({ ip: '10.0.0.6', hostname: 'node-2' })];
  fake.on('GET /api/leases', () => ({ json: leases }));
  fake.on('GET /api/read-models', { json: [{ name: 'lease-list', position: 40 }] });
  fake.events([], true);
});
afterEach(() => fake.close());

async function until(isSo: () => boolean): Promise<void> {
  while (!isSo()) await new Promise((resolve) => setTimeout(resolve, 5));
}

/** Until interrupted. `next`: each called once the one before it has led to its line. */
async function watched(
  args: readonly string[],
  next: readonly [change: () => void, shown: RegExp][],
  more: Surrounding = {},
) {
  const abort = new AbortController();
  let out = '';
  const surrounding = { server, signal: abort.signal, onLine: (line: string) => void (out += `${line}\n`), ...more };
  const running = runTink(['lease', 'list', '--watch', ...args], surrounding);
  for (const [change, shown] of next) {
    change();
    await until(() => shown.test(out));
  }
  abort.abort();
  return running;
}

let position = 41;
/** As they are from the next event on. */
const become = (...changed: readonly LeaseItem[]) => {
  leases = [...leases.filter(({ ip }) => changed.every((lease) => lease.ip !== ip)), ...changed];
  fake.tell(recorded('lease', 'default', [leaseRenewed()], position++)[0]);
};
const start = (shown: RegExp): [() => void, RegExp] => [() => undefined, shown];
const following = () => until(() => fake.following === 1);

describe('tink lease list --watch', () => {
  it('prints each lease, then each that changes, from what the list says', async () => {
    const ran = await watched(
      [],
      [
        start(/10\.0\.0\.6/),
        [
          () => void following().then(() => become(leaseItem({ ip: '10.0.0.5', state: 'ended', position: 41 }))),
          /ended/,
        ],
        [() => become(leaseItem({ ip: '10.0.0.7', hostname: '', mac: null, clientId: '0004aa:1' })), /0004aa/],
      ],
    );
    expect(ran).toMatchObject({ code: 130, err: '' });
    expect(
      ran.out.split('\n').map((line) => line.replaceAll(/(\d{4}-\d\d-\d\d )?(?<!:)\d\d:\d\d:\d\d(?!:)/g, 'TIME')),
    ).toEqual([
      'TIME  10.0.0.5  08:00:27:00:00:01  node-1  bound until TIME',
      'TIME  10.0.0.6  08:00:27:00:00:01  node-2  bound until TIME',
      'TIME  10.0.0.5  08:00:27:00:00:01  node-1  ended',
      'TIME  10.0.0.7  0004aa:1  bound until TIME',
      '',
    ]);
    const asked = fake.asked.map(({ url }) => url);
    expect(asked.find((url) => url.startsWith('/api/events'))).toBe('/api/events?aggregate=lease&after=40&follow=1');
    expect(asked.filter((url) => url.startsWith('/api/leases')).at(-1)).toContain('minSeq=');
  });
  it('prints one JSON document a line, of those that are asked for, and once of one that is no more', async () => {
    const ended = leaseItem({ ip: '10.0.0.5', state: 'ended', position: 41 });
    const ran = await watched(
      ['--state', 'bound', '-o', 'json'],
      [
        start(/10\.0\.0\.6/),
        [() => void following().then(() => become(ended)), /ended/],
        [() => become({ ...ended, position: 42 }, leaseItem({ ip: '10.0.0.8' })), /10\.0\.0\.8/],
      ],
    );
    const lines = ran.out
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as LeaseItem);
    expect(lines.map(({ ip, state }) => `${ip} ${state}`)).toEqual([
      ...['10.0.0.5 bound', '10.0.0.6 bound', '10.0.0.5 ended', '10.0.0.8 bound'],
    ]);
  });
  it('prints CSV with its titles once', async () => {
    const ended = leaseItem({ ip: '10.0.0.5', state: 'ended' });
    const ran = await watched(
      ['-o', 'csv'],
      [start(/10\.0\.0\.6/), [() => void following().then(() => become(ended)), /ended/]],
    );
    expect(ran.out.split('\n').map((line) => line.split(',')[0])).toEqual([
      ...['IP Address', '10.0.0.5', '10.0.0.6', '10.0.0.5', ''],
    ]);
  });
  it('draws the table on a terminal, as many as there is room for, over the one before', async () => {
    leases = Array.from({ length: 30 }, (_, n) => leaseItem({ ip: `10.0.0.${n + 1}` }));
    const abort = new AbortController();
    const running = runTink(['lease', 'list', '--watch'], { server, signal: abort.signal, columns: 120 });
    await following();
    become(leaseItem({ ip: '10.0.0.1', state: 'ended' }));
    const reads = () => fake.asked.filter(({ url }) => url.startsWith('/api/leases')).length;
    await until(() => reads() >= 2);
    // Drawn once more after what was read.
    become();
    await until(() => reads() >= 3);
    abort.abort();
    const { code, out } = await running;
    expect(code).toBe(130);
    const pictures = out.split('\u001b[J');
    expect(pictures[0]?.split('\n').length).toBeLessThanOrEqual(24);
    expect(pictures[0]).toContain('… and 12 more');
    expect(pictures[0]).toContain('| bound');
    expect(pictures[1]).toMatch(/^\u001b\[\d+A\r/);
    expect(pictures.some((picture) => /10\.0\.0\.1 +\|[^\n]*\| ended/.test(picture))).toBe(true);
  });
  it('goes on when the server was away', async () => {
    let isAway = false;
    fake.on('GET /api/leases', () => (isAway ? refusal(503, 'UNAVAILABLE', 'starting') : { json: leases }));
    const ended = leaseItem({ ip: '10.0.0.5', state: 'ended' });
    const begin = async () => {
      await following();
      isAway = true;
      become(ended);
      const reads = () => fake.asked.filter(({ url }) => url.startsWith('/api/leases')).length;
      const before = reads();
      await until(() => reads() > before);
      isAway = false;
      become();
    };
    const ran = await watched([], [start(/10\.0\.0\.6/), [() => void begin(), /ended/]]);
    expect(ran).toMatchObject({ code: 130, err: '' });
  });
  it.each([
    [['--at', '2h'], /--watch is of now: it does not go with --at/],
    [['-o', 'yaml'], /--watch prints no yaml/],
  ])('makes no sense with %j', async (args, why) => {
    const ran = await runTink(['lease', 'list', '--watch', ...args], { server });
    expect(ran.code).toBe(2);
    expect(ran.err).toMatch(why);
    expect(fake.asked).toEqual([]);
  });
});
