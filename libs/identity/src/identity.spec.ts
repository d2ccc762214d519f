import { createHash, X509Certificate } from 'node:crypto';
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect, createServer } from 'node:tls';
import { once } from 'node:events';
import { decode, type User } from 'nats-jwt';
import { workerPermissions } from '@tinkerbell/messaging';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  createUserKey,
  ensureNatsIdentity,
  ensurePki,
  ensureSecretsKey,
  NatsIdentityError,
  PkiError,
  PublicKeyError,
  SecretsKeyError,
} from './index';

let dir: string;
beforeEach(() => (dir = mkdtempSync(join(tmpdir(), 'identity-'))));
afterEach(() => rmSync(dir, { recursive: true }));

const names = { ips: ['127.0.0.1', '::1'], names: ['localhost', 'tink.example'] };
const later = (days: number) => new Date(Date.now() + days * 86_400_000);

describe('ensurePki', () => {
  it.each(['p256', 'rsa'] as const)(
    'is trusted over TLS for its names, with %s keys, by those who trust the authority only',
    async (kind) => {
      const pki = await ensurePki(dir, names, new Date(), kind);
      expect(new X509Certificate(pki.cert).publicKey.asymmetricKeyType).toBe(kind === 'rsa' ? 'rsa' : 'ec');
      expect(await ensurePki(dir, names, new Date(), kind)).toEqual({ ...pki, renewed: false });
      const server = createServer({ cert: pki.cert, key: pki.key }, (socket) => socket.end('hello')).listen(
        0,
        '127.0.0.1',
      );
      await once(server, 'listening');
      const { port } = server.address() as AddressInfo;
      const attempt = async (ca: string | undefined, host: string) => {
        const socket = connect({ port, host: '127.0.0.1', servername: host, ca });
        try {
          await once(socket, 'secureConnect');
          return 'trusted';
        } catch (error) {
          return error instanceof Error && 'code' in error ? error.code : String(error);
        } finally {
          socket.destroy();
        }
      };
      expect(await attempt(pki.ca, 'tink.example')).toBe('trusted');
      expect(await attempt(pki.ca, 'other.example')).toBe('ERR_TLS_CERT_ALTNAME_INVALID');
      expect(await attempt(undefined, 'tink.example')).toBe('UNABLE_TO_VERIFY_LEAF_SIGNATURE');
      server.close();
    },
  );

  it('is the same at the next start, and its files are nobody else’s', async () => {
    const first = await ensurePki(dir, names);
    const second = await ensurePki(dir, {
      ips: [...names.ips].reverse(),
      names: ['TINK.example', 'localhost', 'localhost'],
    });
    expect(second).toEqual({ ...first, renewed: false });
    for (const file of readdirSync(dir)) expect(statSync(join(dir, file)).mode & 0o777, file).toBe(0o600);
    expect(readdirSync(dir).sort()).toEqual(['ca.crt', 'ca.key', 'server.crt', 'server.key']);
  });

  it('names the digest of the authority that openssl and workers compute', async () => {
    const { ca, caSha256 } = await ensurePki(dir, names);
    expect(caSha256).toBe(createHash('sha256').update(new X509Certificate(ca).raw).digest('hex'));
    expect(new X509Certificate(ca).ca).toBe(true);
  });

  it.each([
    ['a name more', { ...names, names: [...names.names, 'more.example'] }],
    ['a name less', { ...names, names: ['localhost'] }],
    ['another address', { ...names, ips: ['127.0.0.1', '192.0.2.7'] }],
  ])('makes a new server certificate under the same authority for %s', async (_, changed) => {
    const first = await ensurePki(dir, names);
    const second = await ensurePki(dir, changed);
    expect(second.ca).toBe(first.ca);
    expect(second.renewed).toBe(true);
    const cert = new X509Certificate(second.cert);
    expect(cert.subjectAltName?.split(', ')).toHaveLength(changed.ips.length + changed.names.length);
    for (const ip of changed.ips) expect(cert.checkIP(ip)).toBe(ip);
    expect((await ensurePki(dir, changed)).renewed).toBe(false);
  });

  it('renews before the end', async () => {
    const first = await ensurePki(dir, names);
    const left = (new Date(first.expiresAt).getTime() - Date.now()) / 86_400_000;
    expect((await ensurePki(dir, names, later(left - 91))).renewed).toBe(false);
    expect((await ensurePki(dir, names, later(left - 89))).renewed).toBe(true);
  });

  it('replaces a damaged server key, but never an authority', async () => {
    await ensurePki(dir, names);
    writeFileSync(join(dir, 'server.key'), 'x');
    expect((await ensurePki(dir, names)).renewed).toBe(true);
    writeFileSync(join(dir, 'ca.key'), 'x');
    await expect(ensurePki(dir, names)).rejects.toThrow(/ca\.key is damaged or not the key of .*ca\.crt: restore it/);
    rmSync(join(dir, 'ca.key'));
    await expect(ensurePki(dir, names)).rejects.toThrow(/ca\.key.* is missing/);
    await expect(ensurePki(join(dir, 'b'), names, new Date())).resolves.toBeDefined();
    await expect(ensurePki(join(dir, 'b'), names, later(7400))).rejects.toThrow(/ended on/);
  });

  it('begins again when the first start died between the two files of the authority', async () => {
    const first = await ensurePki(dir, names);
    rmSync(join(dir, 'ca.crt'));
    const second = await ensurePki(dir, names);
    expect(second.caSha256).not.toBe(first.caSha256);
    expect(second.renewed).toBe(true);
  });

  it.each([
    [{ ips: ['10.0.0.256'], names: [] }, '"10.0.0.256" is not an IP address'],
    [{ ips: [], names: ['a b'] }, '"a b" is not a DNS name'],
    [{ ips: [], names: [] }, 'at least one'],
  ])('refuses %j', async (wanted, fault) => {
    await expect(ensurePki(dir, wanted)).rejects.toThrow(PkiError);
    await expect(ensurePki(dir, wanted)).rejects.toThrow(fault);
  });
});

describe('ensureNatsIdentity', () => {
  it('is the same at the next start', async () => {
    const first = await ensureNatsIdentity(dir);
    const second = await ensureNatsIdentity(dir);
    expect(second).toEqual({ ...first, mintWorkerJwt: expect.any(Function) });
    expect(readFileSync(first.engineCredsFile, 'utf8')).toBe(first.engineCreds);
    for (const file of readdirSync(dir)) expect(statSync(join(dir, file)).mode & 0o777, file).toBe(0o600);
  });

  it('gives a worker exactly its own subjects, until the hour given', async () => {
    const { mintWorkerJwt, account } = await ensureNatsIdentity(dir);
    const { publicKey } = createUserKey();
    const workerId = 'e0a5c0a4-0000-4000-8000-000000000001';
    const expiresAt = new Date('2030-01-01T00:00:00Z');
    const claims = decode<User>(await mintWorkerJwt({ publicKey, workerId, expiresAt }));
    expect(claims.sub).toBe(publicKey);
    expect(claims.exp).toBe(expiresAt.getTime() / 1000);
    expect(claims.iss).not.toBe(account.publicKey);
    const { publish, subscribe } = workerPermissions(workerId);
    expect(claims.nats.issuer_account).toBe(account.publicKey);
    expect(claims.nats.pub).toEqual({ allow: publish, deny: [] });
    expect(claims.nats.sub).toEqual({ allow: subscribe, deny: [] });
    expect(claims.nats.resp).toBeUndefined();
  });

  it('refuses what is not a public user key, and ids that could widen a subject', async () => {
    const { mintWorkerJwt, account } = await ensureNatsIdentity(dir);
    const { publicKey, seed } = createUserKey();
    const expiresAt = later(1);
    for (const wrong of ['', 'U', seed, account.publicKey, `${publicKey}A`, publicKey.toLowerCase()]) {
      await expect(mintWorkerJwt({ publicKey: wrong, workerId: 'w', expiresAt })).rejects.toThrow(PublicKeyError);
    }
    for (const workerId of ['*', '>', 'a.b', '']) {
      await expect(mintWorkerJwt({ publicKey, workerId, expiresAt })).rejects.toThrow('cannot be part of a subject');
    }
  });

  it('says which file is damaged', async () => {
    await ensureNatsIdentity(dir);
    writeFileSync(join(dir, 'nats-identity.json'), '{"v":1}');
    await expect(ensureNatsIdentity(dir)).rejects.toThrow(NatsIdentityError);
    await expect(ensureNatsIdentity(dir)).rejects.toThrow(/nats-identity\.json is damaged: restore/);
  });
});

describe('ensureSecretsKey', () => {
  it('makes 32 bytes once, for its owner only', async () => {
    const key = await ensureSecretsKey(join(dir, 'new'));
    expect(key).toHaveLength(32);
    expect(await ensureSecretsKey(join(dir, 'new'))).toEqual(key);
    expect(await ensureSecretsKey(join(dir, 'other'))).not.toEqual(key);
    expect(statSync(join(dir, 'new', 'secrets.key')).mode & 0o777).toBe(0o600);
  });

  it.each(['', 'short', 'A'.repeat(44), `${'A'.repeat(43)}= x`])(
    'refuses the damaged file %j by name',
    async (text) => {
      writeFileSync(join(dir, 'secrets.key'), text);
      await expect(ensureSecretsKey(dir)).rejects.toThrow(SecretsKeyError);
      await expect(ensureSecretsKey(dir)).rejects.toThrow(/secrets\.key is damaged: restore it from a backup/);
      expect(readFileSync(join(dir, 'secrets.key'), 'utf8')).toBe(text);
    },
  );
});
