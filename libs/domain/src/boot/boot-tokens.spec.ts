import type { BootEvent } from '@tinkerbell/events';
import {
  bootFileServed,
  bootRequestFailed,
  bootScriptServed,
  hardwareId,
  machineMac,
  netbootOffered,
  osieStarted,
  recorded,
} from '@tinkerbell/testing';
import { describe, expect, it } from 'vitest';
import { bootTokens } from './boot-tokens';

// One second apart: the script is given at second 1, its token good for ten.
const script = (over: object = {}) => bootScriptServed({ expiresAt: '2026-01-01T00:00:11.000Z', ...over });
const tokens = (...events: readonly BootEvent[]) => bootTokens(recorded('boot', machineMac, events));
const expiry = (...events: readonly BootEvent[]) => tokens(...events).map(({ expiresAt }) => expiresAt.slice(17, 19));
const part = (role: 'kernel' | 'initramfs' | 'rootfs') => bootFileServed({ role, file: role });

describe('the token of a boot script', () => {
  it('is good as long as the script says while nothing follows', () => {
    expect(tokens(script())).toEqual([
      { tokenHash: 'a'.repeat(64), expiresAt: '2026-01-01T00:00:11.000Z', hardwareId },
    ]);
    expect(expiry(script(), bootRequestFailed(), bootFileServed({ role: 'other', file: 'grub.cfg' }))).toEqual(['11']);
  });
  it('is good for so long after each part of the in-memory OS that went out, and after its start', () => {
    expect(expiry(script(), part('kernel'))).toEqual(['12']);
    expect(expiry(script(), part('kernel'), part('initramfs'), part('rootfs'), bootRequestFailed())).toEqual(['14']);
    expect(expiry(script(), part('kernel'), part('initramfs'), osieStarted())).toEqual(['14']);
  });
  it('counts no more once the in-memory OS is up: whoever calls from there cannot keep it alive', () =>
    expect(expiry(script(), part('kernel'), osieStarted(1), osieStarted(2), part('rootfs'))).toEqual(['13']));
  it('is not kept alive by the next boot', () => {
    expect(expiry(script(), netbootOffered(), part('kernel'), osieStarted())).toEqual(['11']);
    const next = script({ tokenHash: 'b'.repeat(64), expiresAt: '2026-01-01T00:00:20.000Z' });
    expect(expiry(script(), part('kernel'), next, part('kernel'), osieStarted())).toEqual(['12', '22']);
  });
  it('is not kept alive for longer than a day', () => {
    const [first, late] = recorded('boot', machineMac, [script(), osieStarted()]);
    if (!first || !late) throw new Error('two');
    const at = (time: string) => bootTokens([first, { ...late, at: time }])[0]?.expiresAt;
    expect(at('2026-01-02T00:00:00.000Z')).toBe('2026-01-02T00:00:10.000Z');
    expect(at('2026-01-05T00:00:00.000Z')).toBe('2026-01-02T00:00:11.000Z');
  });
  it('is for a worker: not that of a discovery, nor of a machine without a record', () =>
    expect(tokens(script({ script: 'discovery' }), script({ hardwareId: null }), script({ tokenHash: null }))).toEqual(
      [],
    ));
  it('is ended by the sixteenth after it, and known for ever', () => {
    const good = { expiresAt: '2026-01-01T00:00:59.000Z' };
    const scripts = Array.from({ length: 18 }, (_, i) => script({ ...good, tokenHash: String(i) }));
    // The first two were given at seconds 1 and 2, their sixteenth followers at 17 and 18.
    expect(expiry(...scripts)).toEqual(['17', '18', ...Array.from({ length: 16 }, () => '59')]);
    expect(expiry(script(), ...scripts).slice(0, 3)).toEqual(['11', '18', '19']);
  });
});
