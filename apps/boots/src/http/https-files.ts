import { createPrivateKey, type KeyObject, X509Certificate } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import type { BootsConfig } from '../boots.config';
import type { Logger } from '../logger';
import { ownAddresses } from '../own-addresses';
import { SettingFileError } from '../setting-file-error';

/** PEM. */
export interface HttpsFiles {
  readonly cert: string;
  readonly key: string;
  /** What is odd about them without being wrong. */
  readonly warning?: string;
}

/** undefined: HTTPS is off. */
export async function readTls(
  config: BootsConfig,
  now: Date,
  log: Pick<Logger, 'warn'>,
): Promise<HttpsFiles | undefined> {
  if (!config.BOOTS_HTTPS) return undefined;
  const files = await readHttpsFiles(config, now);
  if (files.warning !== undefined) log.warn(`BOOTS_HTTPS_CERT_FILE: ${files.warning}`);
  return files;
}

type Settings = Parameters<typeof ownAddresses>[0] &
  Pick<BootsConfig, 'BOOTS_HTTPS_CERT_FILE' | 'BOOTS_HTTPS_KEY_FILE'>;
const certSetting = 'BOOTS_HTTPS_CERT_FILE';
const keySetting = 'BOOTS_HTTPS_KEY_FILE';

/** Certificate (its chain behind it) and key. Throws SettingFileError, with the setting that is at fault, for what no machine could trust. */
export async function readHttpsFiles(settings: Settings, now: Date): Promise<HttpsFiles> {
  for (const name of [certSetting, keySetting] as const) {
    if (settings[name] === '') throw new SettingFileError(`BOOTS_HTTPS needs ${name}, a file in PEM`);
  }
  const [certFile, keyFile] = [settings[certSetting], settings[keySetting]];
  const cert = await read(certSetting, certFile);
  const key = await read(keySetting, keyFile);
  const fault = (name: string, file: string, what: string) => new SettingFileError(`${name}: ${file} ${what}`);
  const parsed = orUndefined(() => new X509Certificate(cert));
  if (!parsed) throw fault(certSetting, certFile, 'has no certificate in PEM');
  const parsedKey = orUndefined(() => createPrivateKey(key));
  if (!parsedKey) throw fault(keySetting, keyFile, 'has no private key in PEM, or one with a pass phrase');
  if (!parsed.checkPrivateKey(parsedKey)) throw fault(keySetting, keyFile, `is not the key of ${certFile}`);
  const strange = ownAddresses(settings).find((address) => !parsed.checkIP(address));
  if (strange !== undefined) {
    const names = parsed.subjectAltName ?? 'no address at all';
    throw fault(certSetting, certFile, `is not for the address ${strange} but for ${names}`);
  }
  if (new Date(parsed.validTo) <= now) throw fault(certSetting, certFile, `ended on ${parsed.validTo}`);
  if (new Date(parsed.validFrom) > now) throw fault(certSetting, certFile, `begins on ${parsed.validFrom}`);
  return { cert, key, ...warningOf(parsedKey, certFile) };
}

function warningOf({ asymmetricKeyType }: KeyObject, file: string): { readonly warning?: string } {
  if (asymmetricKeyType === 'rsa') return {};
  return {
    warning: `the key of ${file} is ${asymmetricKeyType ?? 'of no known kind'}: much firmware knows RSA only`,
  };
}

async function read(name: string, file: string): Promise<string> {
  return readFile(file, 'utf8').catch((cause: unknown) => {
    throw new SettingFileError(`${name}: ${cause instanceof Error ? cause.message : String(cause)}`, { cause });
  });
}

function orUndefined<T>(make: () => T): T | undefined {
  try {
    return make();
  } catch {
    return undefined;
  }
}
