import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { FakeTinkServer } from '../testing/fake-tink-server';
import { runTink } from '../testing/run-tink';
import { hardwareId } from '../testing/samples';

let fake: FakeTinkServer;
let server: string;
beforeEach(async () => {
  fake = new FakeTinkServer();
  server = await fake.start();
});
afterEach(() => fake.close());

describe('tink boot show', () => {
  const attempt = {
    ...{
      startedAt: '2026-01-01T00:09:20.000Z',
      outcome: 'stopped',
      troubles: [],
      hint: 'does it know the network card?',
    },
    verdict: 'stopped after tftp 38s ago, normally http follows after 4.0s',
    next: { step: 'http', usual: { median: 4, p90: 6, count: 12 } },
    steps: [
      {
        step: 'dhcp',
        at: '2026-01-01T00:09:20.000Z',
        seconds: 0,
        detail: 'PXEClient gets 192.168.1.5 and undionly.kpxe',
      },
      { step: 'tftp', at: '2026-01-01T00:09:22.000Z', seconds: 2, detail: 'undionly.kpxe, 70 bytes' },
    ],
  };
  const item = { id: hardwareId, hostname: 'node-1', mac: '08:00:27:00:00:01', ip: '192.168.1.5', attempts: [attempt] };

  it('tells where it stopped and what is normal', async () => {
    fake.on('GET /api/machines/node-1/boots', { json: item });
    const { out, code } = await runTink(['boot', 'show', 'node-1'], { server });
    expect(code).toBe(0);
    expect(out.split('\n')).toEqual([
      'node-1 08:00:27:00:00:01 192.168.1.5',
      '',
      expect.stringMatching(/^00:09:20 \(40s ago\): stopped after tftp 38s ago, normally http follows after 4.0s$/),
      '     +0.0s  dhcp    PXEClient gets 192.168.1.5 and undionly.kpxe',
      '     +2.0s  tftp    undionly.kpxe, 70 bytes',
      '  next: http, usually 4.0s after this step is reached; nine of ten within 6.0s (12 times before)',
      '  look at: does it know the network card?',
      '',
    ]);
  });

  it.each(['0', '1001'])('refuses %s attempts, and asks nobody', async (attempts) => {
    const { code, err } = await runTink(['boot', 'show', 'node-1', '-n', attempts], {});
    expect({ code, err }).toEqual({
      code: 2,
      err: `Error: -n is a whole number from 1 to 1000, got "${attempts}"\nSee "tink boot show --help".\n`,
    });
  });

  it.each([
    ['at lies in the future: 2099-01-01T00:00:00.000Z', '--at lies in the future: 2099-01-01T00:00:00.000Z'],
    ['at is position 999999, but the log ends at 812', '--at is position 999999, but the log ends at 812'],
  ])('tells by its flag which moment the server does not have: %s', async (message, told) => {
    const error = { code: 'INVALID', message, field: 'at' };
    fake.on('GET /api/machines/node-1/boots', { status: 400, json: { error } });
    const { code, err } = await runTink(['boot', 'show', 'node-1', '--at', '2099-01-01T00:00:00Z'], { server });
    expect({ code, err }).toEqual({ code: 2, err: `Error: ${told}\nSee "tink boot show --help".\n` });
  });

  it('tells the lease of an operating system as what it is', async () => {
    const lease = { ip: '192.168.1.5', boundAt: '2026-01-01T00:09:00.000Z', leaseSeconds: 3600 };
    const leases = [
      { ...lease, expiresAt: '2026-01-01T01:09:00.000Z' },
      { ...lease, ip: 'fd00::5', leaseSeconds: 0xffff_ffff, expiresAt: '2162-01-01T00:00:00.000Z' },
    ];
    fake.on('GET /api/machines/node-1/boots', { json: { ...item, attempts: [], leases } });
    expect((await runTink(['boot', 'show', 'node-1'], { server })).out.split('\n')).toEqual([
      'node-1 08:00:27:00:00:01 192.168.1.5',
      expect.stringMatching(/^leases 192.168.1.5 since \d\d:\d9:00, until \d\d:\d9:00$/),
      expect.stringMatching(/^leases fd00::5 since \d\d:\d9:00, for good$/),
      'it was not seen to boot from the network',
      '',
    ]);
  });

  it('says that nothing was heard', async () => {
    fake.on('GET /api/machines/node-1/boots', { json: { ...item, attempts: [] } });
    expect((await runTink(['boot', 'show', 'node-1'], { server })).out).toContain('nothing was heard of it yet');
    expect(JSON.parse((await runTink(['boot', 'show', 'node-1', '-o', 'json'], { server })).out)).toMatchObject({
      attempts: [],
    });
  });
});
