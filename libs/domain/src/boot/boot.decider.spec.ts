import {
  bootFileServed,
  bootRequestFailed,
  bootScriptServed,
  machinePhonedHome,
  netbootOffered,
  osieStarted,
  specify,
} from '@tinkerbell/testing';
import { describe, expect, it } from 'vitest';
import { fold } from '../decider';
import { bootDecider, type BootCommand, refusalOf } from './boot.decider';

const given = specify(bootDecider);
const offer = { type: 'OfferNetboot', ...netbootOffered().data } as const;
const file = { type: 'RecordFileServed', ...bootFileServed().data } as const;
const script = (over: object = {}): BootCommand => ({
  type: 'RecordScriptServed',
  ...bootScriptServed().data,
  ...over,
});
const osie = { type: 'RecordOsieStarted', ...osieStarted().data } as const;
const home = { type: 'RecordPhoneHome', ...machinePhonedHome().data } as const;
const failed = { type: 'RecordRequestFailed', ...bootRequestFailed().data } as const;
const all = [netbootOffered(), bootFileServed(), bootScriptServed(), osieStarted(), machinePhonedHome()];

describe('boot', () => {
  it('records every step, in any order', () => {
    given().when(offer).then(netbootOffered());
    given(...all)
      .when(offer)
      .then(netbootOffered());
    given().when(file).then(bootFileServed());
    given(bootFileServed()).when(file).then(bootFileServed());
    given().when(script()).then(bootScriptServed());
    given().when(osie).then(osieStarted());
    given().when(home).then(machinePhonedHome());
    given(bootRequestFailed()).when(failed).then(bootRequestFailed());
  });
  it('does not repeat what the machine says again', () => {
    given(osieStarted()).when(osie).thenNothing();
    given(machinePhonedHome()).when(home).thenNothing();
    given(bootScriptServed(), netbootOffered()).when(script()).thenNothing();
    given(osieStarted(6)).when(osie).then(osieStarted());
    given(machinePhonedHome(), netbootOffered()).when(home).then(machinePhonedHome());
  });
  it('a file that comes after a script is recorded once, until the machine does something with the script', () => {
    const config = bootFileServed({ role: 'other', file: 'grub.cfg' });
    const again = { type: 'RecordFileServed', ...config.data, seconds: 9 } as const;
    const other = bootFileServed({ role: 'other', file: 'echo.mod' });
    given(bootScriptServed(), config, other).when(again).thenNothing();
    given(bootScriptServed(), config, other)
      .when({ type: 'RecordFileServed', ...other.data })
      .then(other);
    const next = [bootFileServed({ role: 'kernel' }), netbootOffered(), osieStarted(), machinePhonedHome()];
    for (const event of next)
      given(bootScriptServed(), config, event)
        .when(again)
        .then(bootFileServed({ ...config.data, seconds: 9 }));
    given(config)
      .when(again)
      .then(bootFileServed({ ...config.data, seconds: 9 }));
  });
  it('a script for OSIE has a token, the others need none', () => {
    given()
      .when(script({ tokenHash: null }))
      .thenThrows('INVALID', 'an osie script carries a token');
    given()
      .when(script({ expiresAt: null }))
      .thenThrows('INVALID');
    const local = { script: 'local', tokenHash: null, expiresAt: null } as const;
    given(bootScriptServed(local)).when(script(local)).then(bootScriptServed(local));
  });
  it('keeps the newest tokens', () => {
    const events = Array.from({ length: 20 }, (_, i) => bootScriptServed({ tokenHash: String(i) }));
    const { tokens } = fold(bootDecider, [...events, ...all.slice(3)]);
    expect(tokens).toHaveLength(16);
    expect(tokens.at(-1)).toBe('19');
  });
});

describe('the ticket of a boot script', () => {
  const [hash, other] = ['c'.repeat(64), 'd'.repeat(64)];
  const address = '192.168.1.5';
  const offered = (ticketHash = hash) =>
    netbootOffered({ client: 'iPXE', ticketHash, ticketExpiresAt: '2026-01-01T00:10:00.000Z' });
  const fetched = (ticketExpiresAt = '2026-01-01T00:02:00.000Z') =>
    bootScriptServed({ ticketHash: hash, ticketExpiresAt });
  const judge = (
    events: Parameters<typeof fold>[1],
    now = '2026-01-01T00:01:00.000Z',
    shown: string | null = hash,
    from = address,
  ) => refusalOf((fold(bootDecider, events) as ReturnType<typeof bootDecider.evolve>).ticket, shown, from, now);

  it('is good for the script, and for a repetition of it by the same boot', () => {
    expect(judge([offered()])).toBeUndefined();
    expect(judge([offered(), fetched()])).toBeUndefined();
    expect(judge([offered(), fetched(), bootFileServed()])).toBeUndefined();
  });
  it('is good again when a REQUEST is repeated', () => expect(judge([offered(), offered()])).toBeUndefined());
  it.each([
    ['without one', [offered()], undefined, null, address, /has no ticket/],
    ['before any boot', [], undefined, hash, address, /not that of the newest boot/],
    ['of an earlier boot', [offered(), offered(other)], undefined, hash, address, /not that of the newest boot/],
    ['of another address', [offered()], undefined, hash, '192.168.1.6', /is for 192\.168\.1\.5/],
    [
      'once OSIE runs',
      [offered(), fetched(), osieStarted()],
      undefined,
      hash,
      address,
      /was used: the machine has booted/,
    ],
    ['once the installed system runs', [offered(), machinePhonedHome()], undefined, hash, address, /was used/],
    ['long after its use', [offered(), fetched()], '2026-01-01T00:02:00.000Z', hash, address, /was used and expired/],
    ['never used', [offered()], '2026-01-01T00:10:00.000Z', hash, address, /^the ticket expired at/],
  ] as const)('is refused %s', (_, events, now, shown, from, reason) => {
    expect(judge([...events], now, shown, from)).toMatch(reason);
  });
  it('is not prolonged by fetching again', () =>
    expect(judge([offered(), fetched(), fetched('2026-01-01T00:05:00.000Z')], '2026-01-01T00:03:00.000Z')).toMatch(
      /expired/,
    ));
});
