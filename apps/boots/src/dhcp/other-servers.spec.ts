import { option, requestedAddress, serverIdentifier } from '@tinkerbell/dhcp';
import type { PoolCommand } from '@tinkerbell/domain';
import { describe, expect, it } from 'vitest';
import { silentLogger } from '../logger';
import { Metrics } from '../metrics';
import { OtherServers } from './other-servers';
import { mac, requestOf } from './requests.testing';

const own = '10.0.0.1';
const peer = '10.0.0.2';

function watch({ isActive = true, fails = false } = {}) {
  const told: PoolCommand[] = [];
  const lines: string[] = [];
  const time = { at: Date.parse('2026-01-01T00:00:00.000Z') };
  const leases = {
    isActive,
    own: new Set([peer]),
    async submit(commands: readonly PoolCommand[]) {
      if (fails) throw new Error('no log');
      told.push(...commands);
    },
  };
  const log = { ...silentLogger, warn: (line: string) => lines.push(line) };
  const metrics = new Metrics();
  const servers = new OtherServers({ leases, metrics, log, clock: () => new Date(time.at) }, [own]);
  return { servers, told, lines, time, metrics };
}
const request = (server: string) =>
  requestOf('request', [option(serverIdentifier, server), option(requestedAddress, '10.0.0.9')]);
const offer = (server: string) => ({
  ...requestOf('offer', [option(serverIdentifier, server)]),
  ...{ op: 'reply' as const, yiaddr: '10.0.0.77' },
});

describe('other DHCP servers', () => {
  it('are told of when a client asks one for its offer, or one makes an offer, once a day each', () => {
    const { servers, told, lines, time } = watch();
    servers.onRequest(request('10.0.0.254'), own);
    servers.onReply(offer('10.0.0.254'));
    servers.onReply(offer('10.0.0.253'));
    expect(told).toEqual([
      {
        ...{ type: 'TellOfServer', server: '10.0.0.254', sign: 'request', clientMac: mac, offered: null },
        seenAt: '2026-01-01T00:00:00.000Z',
      },
      {
        ...{ type: 'TellOfServer', server: '10.0.0.253', sign: 'offer', clientMac: mac, offered: '10.0.0.77' },
        seenAt: '2026-01-01T00:00:00.000Z',
      },
    ]);
    expect(lines[1]).toBe(`another DHCP server is on the wire: 10.0.0.253 (offer, client ${mac})`);
    expect(servers.count).toBe(2);
    time.at += 86_400_000;
    servers.onReply(offer('10.0.0.254'));
    expect(told).toHaveLength(3);
  });
  it('are not what is ours, also behind a relay that gives us another identifier', () => {
    const { servers, lines } = watch();
    servers.onRequest(request(own), own);
    servers.onRequest(request('10.9.0.1'), '10.9.0.1');
    servers.onRequest(requestOf('request', []), own);
    servers.onReply(offer(own));
    servers.onReply({ ...offer('10.0.0.254'), op: 'request' });
    servers.onReply(offer('0.0.0.0'));
    expect(lines).toEqual([]);
  });
  it('are not the other instances of the pool, which a standby hears all the time', () => {
    const { servers, lines, metrics } = watch({ isActive: false });
    servers.onReply(offer(peer));
    servers.onRequest(request(peer), own);
    expect([lines, servers.count, metrics.total('dhcp_other_server_messages_total', {})]).toEqual([[], 0, 0]);
  });
  it('are told of by a standby in its own log only', () => {
    const { servers, told, lines } = watch({ isActive: false });
    servers.onReply(offer('10.0.0.254'));
    expect([told.length, lines.length]).toEqual([0, 1]);
  });
  it('are told of again by a standby that begins to give out leases', () => {
    const { servers, told, lines } = watch();
    servers.onReply(offer('10.0.0.254'));
    servers.forget();
    servers.onReply(offer('10.0.0.254'));
    expect([told.length, lines.length]).toEqual([2, 2]);
  });
  it('are few, whoever makes them up', () => {
    const { servers, told, time } = watch();
    for (let i = 0; i < 1000; i++) servers.onReply(offer(`10.1.${i >> 8}.${i & 255}`));
    expect([told.length, servers.count]).toEqual([64, 64]);
    time.at += 86_400_000;
    servers.onReply(offer('10.0.0.254'));
    expect([told.length, servers.count]).toEqual([65, 64]);
  });
  it('are told of again when it could not be stored', async () => {
    const { servers, lines } = watch({ fails: true });
    servers.onReply(offer('10.0.0.254'));
    await new Promise((resolve) => setImmediate(resolve));
    servers.onReply(offer('10.0.0.254'));
    expect(lines).toHaveLength(2);
  });
});
