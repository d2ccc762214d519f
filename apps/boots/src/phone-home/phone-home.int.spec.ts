import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { type Bench, machineAddress, startBench } from '../boots.testing';
import { hardwareId, mac } from '../dhcp/requests.testing';

interface Case {
  readonly name: string;
  readonly event: string;
  readonly ok?: false;
  readonly calls?: readonly (readonly [method: string, path: string, body: string])[];
}
const { phone_home } = JSON.parse(readFileSync(join(__dirname, '../../fixtures/boots-http-seed.json'), 'utf8')) as {
  readonly phone_home: { readonly cases: readonly Case[] };
};

let bench: Bench | undefined;
afterEach(async () => {
  await bench?.close();
  bench = undefined;
});

/**
 * What the first boots passed on to its vendor's hosted API (`POST …/events`) is an event of our own log here. Its other two calls have no
 * counterpart: `PATCH {allow_pxe: false}` because the end of the workflow is what ends network booting, `POST …/phone-home` because the
 * call that came in is recorded already.
 *
 * The table's `events` part does not apply: `/events` took user events of running instances and forwarded them to that same hosted API.
 * There is nobody here to forward them to, and as an entry of the log they would say that a machine has come up, which they do not. The
 * path is one that we do not serve.
 */
describe('as the first boots is phoned home', () => {
  it.each(phone_home.cases)('$name', async ({ event, ok, calls = [] }) => {
    bench = await startBench({});
    await bench.lease();
    const { status } = await bench.http('/phone-home', { method: 'POST', body: event });
    expect(status).toBe(ok === false ? 400 : 200);
    const told = calls.filter(([method, path]) => method === 'POST' && path.endsWith('/events'));
    const wanted = told.map(([, , body]) => {
      const { type: kind } = JSON.parse(body) as { readonly type: string };
      return { hardwareId, mac, kind, body, address: machineAddress };
    });
    expect(wanted).toHaveLength(ok === false ? 0 : 1);
    const homes = (await bench.events()).filter(({ type }) => type === 'MachinePhonedHome');
    expect(homes.map(({ data }) => data)).toEqual(wanted);
  });

  it('does not serve /events', async () => {
    bench = await startBench({});
    await bench.lease();
    const before = await bench.events();
    expect((await bench.http('/events', { method: 'POST', body: '{"code":1}' })).status).toBe(404);
    expect(await bench.events()).toEqual(before);
  });
});
