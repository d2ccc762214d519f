import { generateKeyPairSync, verify } from 'node:crypto';
import { mkdtemp, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { addFormerAuditKeys, AuditKeyFileError, ensureAuditKey } from './audit-key';

let dir: string;
beforeEach(async () => (dir = await mkdtemp(join(tmpdir(), 'audit-key-'))));
afterEach(() => rm(dir, { recursive: true, force: true }));

const otherKey = () => generateKeyPairSync('ed25519').publicKey.export({ type: 'spki', format: 'pem' }).toString();

describe('the audit key', () => {
  it('is made once, for its owner only, and signs', async () => {
    const first = await ensureAuditKey(dir);
    const again = await ensureAuditKey(dir);
    expect(again.publicKey).toBe(first.publicKey);
    expect(first.publicKey).toMatch(/^-----BEGIN PUBLIC KEY-----\n/);
    expect((await stat(join(dir, 'audit.key'))).mode & 0o777).toBe(0o600);
    const signature = Buffer.from(again.sign('text'), 'base64');
    expect(verify(null, Buffer.from('text'), first.publicKey, signature)).toBe(true);
    expect(verify(null, Buffer.from('test'), first.publicKey, signature)).toBe(false);
  });

  it.each(['', 'not a key', otherKey()])('says that its file is damaged: %#', async (text) => {
    await writeFile(join(dir, 'audit.key'), text);
    await expect(ensureAuditKey(dir)).rejects.toThrow(AuditKeyFileError);
    await expect(ensureAuditKey(dir)).rejects.toThrow('remove it to get a new key');
  });

  it('remembers former keys once each, and never its own', async () => {
    const { publicKey } = await ensureAuditKey(dir);
    const [a, b] = [otherKey(), otherKey()];
    expect(await addFormerAuditKeys(dir, [publicKey, a, a])).toEqual([a]);
    expect(await addFormerAuditKeys(dir, [a, b])).toEqual([b]);
    expect((await ensureAuditKey(dir)).formerKeys).toEqual([a, b]);
  });

  it('says that the file of former keys is damaged', async () => {
    await writeFile(join(dir, 'audit-former.pem'), otherKey().replace(/M[A-Za-z]/, 'AA'));
    await expect(ensureAuditKey(dir)).rejects.toThrow(AuditKeyFileError);
  });
});
