import {
  bootFileServed,
  bootRequestFailed,
  bootScriptServed,
  hardwareId,
  machinePhonedHome,
  netbootOffered,
  osieStarted,
  specify,
} from '@tinkerbell/testing';
import { describe, expect, it } from 'vitest';
import { fold } from '../decider';
import { bootDecider, type BootCommand } from './boot.decider';

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
    expect(tokens.at(-1)).toEqual({ tokenHash: '19', expiresAt: '2026-01-02T00:00:00.000Z', hardwareId });
  });
});
