import type { LeaseEvent } from '@tinkerbell/events';
import { leaseBound, leaseEnded, leaseRenewed, recorded } from '@tinkerbell/testing';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { LeaseItem } from '../api-types';
import { FakeTinkServer, refusal } from '../testing/fake-tink-server';
import { runTink, type Surrounding } from '../testing/run-tink';
import { leaseItem } from '../testing/samples';

let fake: FakeTinkServer;
let server: string;
let leases: readonly LeaseItem[];
let position: number;
beforeEach(async () => {
  fake = new FakeTinkServer();
  server = await fake.start();
  position = 41;
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

const happen = (...events: readonly LeaseEvent[]) => {
  for (const each of recorded('lease', 'default', events, position)) fake.tell(each);
  position += events.length;
};
/** What the list says when it is asked after the next event. */
const become = (...changed: readonly LeaseItem[]) => {
  leases = [...leases.filter(({ ip }) => changed.every((lease) => lease.ip !== ip)), ...changed];
  happen(leaseRenewed());
};
const following = () => until(() => fake.following === 1);
const start = (shown: RegExp): [() => void, RegExp] => [() => undefined, shown];
/** Once it follows what happens. */
const then = (change: () => void, shown: RegExp): [() => void, RegExp] => [() => void following().then(change), shown];
const reads = () => fake.asked.filter(({ url }) => url.startsWith('/api/leases')).map(({ url }) => url);
const timeless = (out: string) =>
  out.split('\n').map((line) => line.replaceAll(/(\d{4}-\d\d-\d\d )?(?<!:)\d\d:\d\d:\d\d(?!:)/g, 'TIME'));

describe('tink lease list --watch', () => {
  it('prints each lease, then each that changes, without asking for the list again', async () => {
    const ran = await watched(
      [],
      [
        start(/10\.0\.0\.6/),
        then(() => happen(leaseEnded({ ip: '10.0.0.5' })), /ended/),
        [() => happen(leaseBound({ ip: '10.0.0.7', hostname: '', mac: null, clientId: '0004aa:1' })), /0004aa/],
      ],
    );
    expect(ran).toMatchObject({ code: 130, err: '' });
    expect(timeless(ran.out)).toEqual([
      'TIME  10.0.0.5  08:00:27:00:00:01  node-1  bound until TIME',
      'TIME  10.0.0.6  08:00:27:00:00:01  node-2  bound until TIME',
      'TIME  10.0.0.5  08:00:27:00:00:01  node-1  ended',
      'TIME  10.0.0.7  0004aa:1  bound until TIME',
      '',
    ]);
    expect(fake.asked.map(({ url }) => url).find((url) => url.startsWith('/api/events'))).toBe(
      '/api/events?aggregate=lease&after=40&follow=1',
    );
    expect(reads()).toEqual(['/api/leases?limit=500']);
  });
  it('prints what the list has already once, though its event comes again', async () => {
    const mac = '08:00:27:00:00:01';
    leases = [leaseItem({ ip: '10.0.0.5', mac, position: 41, expiresAt: '2026-01-02T00:00:00.000Z' })];
    const again = leaseRenewed({ ip: '10.0.0.5', leaseSeconds: 3600, expiresAt: '2026-01-02T00:00:00.000Z' });
    leases = leases.map((lease) => ({ ...lease, updatedAt: recorded('lease', 'default', [again], 41)[0]?.at ?? '' }));
    const ran = await watched(
      [],
      [start(/10\.0\.0\.5/), then(() => happen(again, leaseBound({ ip: '10.0.0.8' })), /10\.0\.0\.8/)],
    );
    expect(timeless(ran.out)).toEqual([
      'TIME  10.0.0.5  08:00:27:00:00:01  node-1  bound until TIME',
      'TIME  10.0.0.8  08:00:27:00:00:01  server001  bound until TIME',
      '',
    ]);
  });
  it('prints those of one machine as the server tells them', async () => {
    leases = leases.slice(0, 1);
    const ended = leaseItem({ ip: '10.0.0.5', state: 'ended', position: 41 });
    const ran = await watched(['node-1'], [start(/10\.0\.0\.5/), then(() => become(ended), /ended/)]);
    expect(timeless(ran.out)).toEqual([
      'TIME  10.0.0.5  08:00:27:00:00:01  node-1  bound until TIME',
      'TIME  10.0.0.5  08:00:27:00:00:01  node-1  ended',
      '',
    ]);
    expect(reads().at(-1)).toBe('/api/leases?of=node-1&minSeq=41');
  });
  it('prints one JSON document a line, of those that are asked for, and once of one that is no more', async () => {
    const ran = await watched(
      ['--state', 'bound', '-o', 'json'],
      [
        start(/10\.0\.0\.6/),
        then(() => happen(leaseEnded({ ip: '10.0.0.5' })), /ended/),
        [() => happen(leaseEnded({ ip: '10.0.0.5' }), leaseBound({ ip: '10.0.0.8' })), /10\.0\.0\.8/],
      ],
    );
    const lines = ran.out
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as LeaseItem);
    expect(lines.map(({ ip, state }) => `${ip} ${state}`)).toEqual([
      ...['10.0.0.5 bound', '10.0.0.6 bound', '10.0.0.5 ended', '10.0.0.8 bound'],
    ]);
    expect(lines.at(-1)?.mac).toBe('08:00:27:00:00:01');
  });
  it('prints CSV with its titles once', async () => {
    const ran = await watched(
      ['-o', 'csv'],
      [start(/10\.0\.0\.6/), then(() => happen(leaseEnded({ ip: '10.0.0.5' })), /ended/)],
    );
    expect(ran.out.split('\n').map((line) => line.split(',')[0])).toEqual([
      ...['IP Address', '10.0.0.5', '10.0.0.6', '10.0.0.5', ''],
    ]);
  });
  it('draws the table on a terminal, as many as there is room for, over the one before', async () => {
    leases = Array.from({ length: 30 }, (_, n) => leaseItem({ ip: `10.0.0.${n + 1}` }));
    const abort = new AbortController();
    let drawn = '';
    const onText = (text: string) => void (drawn += text);
    const running = runTink(['lease', 'list', '--watch'], { server, signal: abort.signal, columns: 120, onText });
    await following();
    happen(leaseEnded({ ip: '10.0.0.1' }));
    await until(() => /10\.0\.0\.1 +\|[^\n]*\| ended/.test(drawn));
    abort.abort();
    const { code, out } = await running;
    expect(code).toBe(130);
    const pictures = out.split('\u001b[J');
    expect(pictures[0]?.split('\n').length).toBeLessThanOrEqual(24);
    expect(pictures[0]).toContain('… and 12 more');
    expect(pictures[0]).toContain('| bound');
    expect(pictures[1]).toMatch(/^\u001b\[\d+A\r/);
  });
  it('goes on when the server was away', async () => {
    leases = leases.slice(0, 1);
    let isAway = false;
    fake.on('GET /api/leases', () => (isAway ? refusal(503, 'UNAVAILABLE', 'starting') : { json: leases }));
    const ended = leaseItem({ ip: '10.0.0.5', state: 'ended' });
    const begin = async () => {
      await following();
      isAway = true;
      become(ended);
      const before = reads().length;
      await until(() => reads().length > before);
      isAway = false;
      become();
    };
    const ran = await watched(['node-1'], [start(/10\.0\.0\.5/), [() => void begin(), /ended/]]);
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
