import { randomBytes } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { seal, unseal, UnsealError } from './seal';

const key = randomBytes(32);
const entry = 'ab'.repeat(16);

describe('a sealed value', () => {
  it.each(['x', 'grüße 👋\n', 'y'.repeat(65_536)])('gives back %.10j', (value) => {
    const sealed = seal(key, 'db', entry, value);
    expect(unseal(key, 'db', entry, sealed)).toBe(value);
    // One byte may well occur in any cipher text.
    if (value.length > 1) expect(Buffer.from(sealed).includes(value)).toBe(false);
  });

  it('is never the same twice', () =>
    expect(seal(key, 'db', entry, 'value')).not.toEqual(seal(key, 'db', entry, 'value')));

  it('says that another key made it', () => {
    expect(() => unseal(randomBytes(32), 'db', entry, seal(key, 'db', entry, 'value'))).toThrow(
      'the value of secret db cannot be read: it was sealed with another key',
    );
  });

  it('is good for its own name and entry only', () => {
    const sealed = seal(key, 'db', entry, 'value');
    expect(() => unseal(key, 'other', entry, sealed)).toThrow(UnsealError);
    expect(() => unseal(key, 'db', 'cd'.repeat(16), sealed)).toThrow('it is damaged');
  });

  it('is refused with any bit changed and at any shorter length', () => {
    const sealed = Buffer.from(seal(key, 'db', entry, 'value'));
    for (let at = 0; at < sealed.length; at++) {
      const changed = Buffer.from(sealed);
      changed.writeUInt8(changed.readUInt8(at) ^ 1, at);
      expect(() => unseal(key, 'db', entry, changed), `byte ${at}`).toThrow(UnsealError);
      expect(() => unseal(key, 'db', entry, sealed.subarray(0, at)), `${at} bytes`).toThrow(UnsealError);
    }
  });
});
