import 'reflect-metadata'; // @peculiar/x509 needs it before its own import
import { createHash, randomBytes, webcrypto, X509Certificate as NodeCertificate } from 'node:crypto';
import { isIP } from 'node:net';
import { join } from 'node:path';
import {
  AuthorityKeyIdentifierExtension,
  BasicConstraintsExtension,
  cryptoProvider,
  ExtendedKeyUsage,
  ExtendedKeyUsageExtension,
  KeyUsageFlags,
  KeyUsagesExtension,
  PemConverter,
  SubjectAlternativeNameExtension,
  SubjectKeyIdentifierExtension,
  X509Certificate,
  X509CertificateGenerator,
} from '@peculiar/x509';
import { readSecret, writeSecret } from './secret-file';

/** Our certificate authority and one server certificate of it, shared by all services of an installation. */
export interface Pki {
  /** PEM. Anybody may have it. */
  readonly ca: string;
  /** SHA-256 of the CA's DER, hex: what a booting machine pins. */
  readonly caSha256: string;
  /** PEM of the server's certificate and of its private key (PKCS #8). */
  readonly cert: string;
  readonly key: string;
  readonly files: { readonly ca: string; readonly cert: string; readonly key: string };
  /** Of the server's certificate, ISO 8601. */
  readonly expiresAt: string;
  /** True when this call made a new server certificate. */
  readonly renewed: boolean;
}

export interface PkiNames {
  /** IPv4 and IPv6 addresses that the services are reached by. */
  readonly ips: readonly string[];
  /** DNS names. */
  readonly names: readonly string[];
}

export class PkiError extends Error {}

/** `rsa`: for firmware, whose TLS is often built without elliptic curves. */
export type KeyKind = 'p256' | 'rsa';

const algorithms = {
  p256: { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' },
  rsa: {
    name: 'RSASSA-PKCS1-v1_5',
    hash: 'SHA-256',
    modulusLength: 3072,
    publicExponent: Uint8Array.of(1, 0, 1),
  },
} as const;
type Algorithm = (typeof algorithms)[KeyKind];

const dayMs = 86_400_000;
const caDays = 20 * 365;
const serverDays = 825;
/** A server certificate with less than this left is replaced at the next start. */
const renewDays = 90;
/** A machine whose clock battery is dead wakes up long ago; it must still be able to verify us. */
const notBefore = new Date('2000-01-01T00:00:00Z');

cryptoProvider.set(webcrypto);

interface KeyedCertificate {
  readonly cert: string;
  readonly key: string;
}

/**
 * The authority in `dir` (made on the first call, the same ever after) and a server certificate for exactly these names, made anew when
 * they change, when it nears its end or when its files are damaged. Safe to call at every start. One folder has keys of one kind.
 * Throws PkiError for a name that cannot be in a certificate, or when a file of the authority is missing, damaged or expired.
 */
export async function ensurePki(
  dir: string,
  wanted: PkiNames,
  now: Date = new Date(),
  kind: KeyKind = 'p256',
): Promise<Pki> {
  const algorithm = algorithms[kind];
  const names = checkNames(wanted);
  const files = { ca: join(dir, 'ca.crt'), cert: join(dir, 'server.crt'), key: join(dir, 'server.key') };
  const ca = await ensureCa(files.ca, join(dir, 'ca.key'), now, algorithm);

  const stored = { cert: (await readSecret(files.cert)) ?? '', key: (await readSecret(files.key)) ?? '' };
  const renewed = !(await stillGood(stored, ca.cert, names, now, algorithm));
  const server = renewed ? await issue(ca, names, now, algorithm) : stored;
  if (renewed) {
    await writeSecret(files.key, server.key);
    await writeSecret(files.cert, server.cert);
  }
  const parsed = new NodeCertificate(server.cert);
  return {
    ca: ca.cert,
    caSha256: createHash('sha256').update(new NodeCertificate(ca.cert).raw).digest('hex'),
    cert: server.cert,
    key: server.key,
    files,
    expiresAt: new Date(parsed.validTo).toISOString(),
    renewed,
  };
}

async function ensureCa(certFile: string, keyFile: string, now: Date, algorithm: Algorithm): Promise<KeyedCertificate> {
  const cert = await readSecret(certFile);
  const key = await readSecret(keyFile);
  if (cert === undefined) {
    // The certificate is written last: without it nobody has ever trusted this authority.
    const made = await makeCa(now, algorithm);
    await writeSecret(keyFile, made.key);
    await writeSecret(certFile, made.cert);
    return made;
  }
  const remedy = `restore it from a backup, or remove ${certFile} to get a new authority (every worker must enrol again)`;
  if (key === undefined) throw new PkiError(`${keyFile}, the key of ${certFile}, is missing: ${remedy}`);
  if (!(await belongTogether({ cert, key }, algorithm))) {
    throw new PkiError(`${keyFile} is damaged or not the key of ${certFile}: ${remedy}`);
  }
  const end = new Date(new NodeCertificate(cert).validTo);
  if (end <= now) throw new PkiError(`the authority ${certFile} ended on ${end.toISOString()}: ${remedy}`);
  return { cert, key };
}

async function makeCa(now: Date, algorithm: Algorithm): Promise<KeyedCertificate> {
  const keys = await webcrypto.subtle.generateKey(algorithm, true, ['sign', 'verify']);
  const cert = await X509CertificateGenerator.createSelfSigned({
    serialNumber: serial(),
    name: `CN=Tinkerbell CA ${randomBytes(4).toString('hex')}`,
    notBefore,
    notAfter: new Date(now.getTime() + caDays * dayMs),
    signingAlgorithm: algorithm,
    keys,
    extensions: [
      new BasicConstraintsExtension(true, 0, true),
      new KeyUsagesExtension(KeyUsageFlags.keyCertSign | KeyUsageFlags.cRLSign, true),
      await SubjectKeyIdentifierExtension.create(keys.publicKey),
    ],
  });
  return { cert: `${cert.toString('pem')}\n`, key: await exportKey(keys.privateKey) };
}

async function issue(
  ca: KeyedCertificate,
  names: PkiNames,
  now: Date,
  algorithm: Algorithm,
): Promise<KeyedCertificate> {
  const authority = new X509Certificate(ca.cert);
  const keys = await webcrypto.subtle.generateKey(algorithm, true, ['sign', 'verify']);
  const end = Math.min(now.getTime() + serverDays * dayMs, authority.notAfter.getTime());
  const cert = await X509CertificateGenerator.create({
    serialNumber: serial(),
    subject: 'CN=Tinkerbell',
    issuer: authority.subject,
    notBefore,
    notAfter: new Date(end),
    signingAlgorithm: algorithm,
    publicKey: keys.publicKey,
    signingKey: await importKey(ca.key, algorithm),
    extensions: [
      new BasicConstraintsExtension(false, undefined, true),
      new KeyUsagesExtension(
        KeyUsageFlags.digitalSignature | (algorithm.name === 'ECDSA' ? 0 : KeyUsageFlags.keyEncipherment),
        true,
      ),
      // Also as a client: servers of a NATS cluster show it to each other.
      new ExtendedKeyUsageExtension([ExtendedKeyUsage.serverAuth, ExtendedKeyUsage.clientAuth]),
      new SubjectAlternativeNameExtension([
        ...names.ips.map((value) => ({ type: 'ip' as const, value })),
        ...names.names.map((value) => ({ type: 'dns' as const, value })),
      ]),
      await SubjectKeyIdentifierExtension.create(keys.publicKey),
      await AuthorityKeyIdentifierExtension.create(authority.publicKey),
    ],
  });
  return { cert: `${cert.toString('pem')}\n`, key: await exportKey(keys.privateKey) };
}

async function stillGood(
  server: KeyedCertificate,
  ca: string,
  names: PkiNames,
  now: Date,
  algorithm: Algorithm,
): Promise<boolean> {
  if (!(await belongTogether(server, algorithm))) return false;
  const cert = new NodeCertificate(server.cert);
  if (!cert.verify(new NodeCertificate(ca).publicKey)) return false;
  if (new Date(cert.validTo).getTime() - now.getTime() < renewDays * dayMs) return false;
  if (!cert.keyUsage?.includes(ExtendedKeyUsage.clientAuth)) return false; // of a release before clusters
  const has = cert.subjectAltName?.split(', ').length ?? 0;
  return (
    has === names.ips.length + names.names.length &&
    names.ips.every((ip) => cert.checkIP(ip)) &&
    names.names.every((name) => cert.checkHost(name, { wildcards: false, subject: 'never' }))
  );
}

async function belongTogether({ cert, key }: KeyedCertificate, algorithm: Algorithm): Promise<boolean> {
  try {
    const publicKey = await new X509Certificate(cert).publicKey.export(algorithm, ['verify']);
    const probe = randomBytes(16);
    const signature = await webcrypto.subtle.sign(algorithm, await importKey(key, algorithm), probe);
    return await webcrypto.subtle.verify(algorithm, publicKey, signature, probe);
  } catch {
    return false; // not readable as certificate and key: as good as missing
  }
}

function checkNames({ ips, names }: PkiNames): PkiNames {
  for (const ip of ips) if (isIP(ip) === 0) throw new PkiError(`${JSON.stringify(ip)} is not an IP address`);
  for (const name of names) {
    if (!/^(?=.{1,253}$)[a-z0-9_]([a-z0-9_-]*[a-z0-9_])?(\.[a-z0-9_]([a-z0-9_-]*[a-z0-9_])?)*$/i.test(name)) {
      throw new PkiError(`${JSON.stringify(name)} is not a DNS name`);
    }
  }
  if (ips.length + names.length === 0) throw new PkiError('a server certificate needs at least one address or name');
  return { ips: [...new Set(ips)].sort(), names: [...new Set(names.map((name) => name.toLowerCase()))].sort() };
}

async function exportKey(key: webcrypto.CryptoKey): Promise<string> {
  return `${PemConverter.encode(await webcrypto.subtle.exportKey('pkcs8', key), PemConverter.PrivateKeyTag)}\n`;
}

function importKey(pem: string, algorithm: Algorithm): Promise<webcrypto.CryptoKey> {
  return webcrypto.subtle.importKey('pkcs8', PemConverter.decodeFirst(pem), algorithm, false, ['sign']);
}

/** RFC 5280 §4.1.2.2: positive, at most 20 octets. */
function serial(): string {
  const bytes = randomBytes(16);
  bytes[0] = ((bytes[0] ?? 0) & 0x7f) | 0x40;
  return bytes.toString('hex');
}
