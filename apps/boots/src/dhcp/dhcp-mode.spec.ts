import { describe, expect, it } from 'vitest';
import { isSameNetwork, mayProxy, modeAt, type ModeRules } from './dhcp-mode';
import { respond } from './dhcp.responder';
import { contextOf, firmware, requestOf } from './requests.testing';

const rules: ModeRules = {
  mode: 'off',
  subnets: [
    { name: '', address: '10.0.0.0', prefix: 8, mode: 'proxy' },
    { name: '', address: '10.1.0.0', prefix: 16, mode: 'reservation' },
    { name: '', address: '10.1.2.0', prefix: 24, mode: 'off' },
    { name: '', address: '192.168.1.0', prefix: 24, mode: 'reservation' },
  ],
};

describe('mode of a network', () => {
  it.each([
    ['172.16.0.1', 'off'],
    ['10.255.255.255', 'proxy'],
    ['10.1.0.1', 'reservation'],
    ['10.1.2.1', 'off'],
    ['10.1.3.1', 'reservation'],
  ])('%s: %s', (address, mode) => expect(modeAt(address, rules)).toBe(mode));

  it('is that of a network of one address, or of all', () => {
    const all = { name: '', address: '0.0.0.0', prefix: 0, mode: 'proxy' } as const;
    const one = { name: '', address: '255.255.255.254', prefix: 32, mode: 'off' } as const;
    expect(modeAt('255.255.255.254', { mode: 'reservation', subnets: [one, all] })).toBe('off');
    expect(modeAt('255.255.255.255', { mode: 'reservation', subnets: [one, all] })).toBe('proxy');
  });

  it.each([
    ['10.0.0.5', '10.0.0.250', '255.255.255.0', true],
    ['10.0.0.5', '10.0.1.5', '255.255.255.0', false],
    ['10.0.0.5', '10.0.1.5', '255.255.254.0', true],
  ])('%s and %s at %s', (one, other, mask, same) => expect(isSameNetwork(one, other, mask)).toBe(same));

  it('tells whether port 4011 is needed', () => {
    expect(mayProxy(rules)).toBe(true);
    expect(mayProxy({ mode: 'proxy', subnets: [] })).toBe(true);
    expect(mayProxy({ mode: 'reservation', subnets: [] })).toBe(false);
  });
});

describe('where we are', () => {
  const { server } = contextOf();
  const context = contextOf({ server: { ...server, modes: rules } });
  it.each([
    ['off', {}, { kind: 'ignore', reason: 'mode' }],
    ['reservation, by its relay', { giaddr: '192.168.1.1' }, { packet: { yiaddr: '192.168.1.100' } }],
    ['proxy, by its relay', { giaddr: '10.9.0.1' }, { packet: { yiaddr: '0.0.0.0', file: 'ipxe.efi' } }],
    ['off, by its relay', { giaddr: '10.1.2.1' }, { kind: 'ignore', reason: 'mode' }],
  ])('%s', (_, over, wanted) =>
    expect(respond(requestOf('discover', firmware(7), over), context)).toMatchObject(wanted),
  );
  it('a machine that renews is where its address is', () =>
    expect(
      respond(requestOf('request', [], { ciaddr: '192.168.1.100' }), { ...context, arrival: 'unicast' }),
    ).toMatchObject({
      leases: [{ clientState: 'renewing' }],
    }));
});
