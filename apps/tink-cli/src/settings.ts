import { dirname, join, resolve } from 'node:path';
import { UsageError } from './cli-command';

/** Where the server is and who we are. */
export interface Settings {
  readonly server: URL;
  /** PEM of the CA that the server's certificate has to come from, and where it was found. */
  readonly ca?: { readonly pem: string; readonly file: string };
  readonly username: string;
  readonly password: string;
  /** Where `server` comes from, for error messages. */
  readonly source: string;
  /** A file with credentials that were not used because they are another server's. */
  readonly unusedCredentials?: string;
}

export interface Given {
  readonly server?: string | undefined;
  readonly ca?: string | undefined;
  readonly user?: string | undefined;
  readonly password?: string | undefined;
}

export interface Surroundings {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly cwd: string;
  readonly home: string;
  /** The text of a file; undefined when there is none. */
  readonly read: (path: string) => string | undefined;
}

interface ConfigFile {
  readonly path: string;
  readonly server: string;
  readonly ca: string;
  readonly username: string;
  readonly password: string;
}

export const defaultServer = 'http://127.0.0.1:42114';

/**
 * Flags over environment over the file ($TINK_CONFIG, ./.tinkerbell/cli.json, ~/.tinkerbell/cli.json) over the default. The file's
 * credentials go to the file's server only: another one named by flag or environment never sees them. Throws UsageError.
 */
export function resolveSettings(given: Given, around: Surroundings): Settings {
  const { env } = around;
  const file = configFile(around);
  const named = firstOf([
    [given.server, '--server'],
    [env['TINK_SERVER'], 'TINK_SERVER'],
    [file?.server, file?.path ?? ''],
  ]);
  const [text, source] = named ?? [defaultServer, 'default'];
  const server = parseServer(text, source);
  const fromFile = file && (file.server === '' || sameServer(file.server, server));
  const caFile = given.ca || env['TINK_CA'] || (file?.ca ? resolve(dirname(file.path), file.ca) : '');
  const username = given.user || env['TINK_AUTH_USERNAME'] || (fromFile ? file.username : '');
  const password = given.password ?? env['TINK_AUTH_PASSWORD'] ?? (fromFile ? file.password : '');
  const unused = file && !fromFile && username === '' && file.username !== '';
  return {
    server,
    source,
    username,
    password,
    ...(caFile === '' ? {} : { ca: { file: caFile, pem: readCa(caFile, around) } }),
    ...(unused ? { unusedCredentials: `${file.path} has credentials for ${file.server}` } : {}),
  };
}

function configFile(around: Surroundings): ConfigFile | undefined {
  const { env, cwd, home } = around;
  const named = env['TINK_CONFIG'];
  if (named) {
    const text = around.read(resolve(cwd, named));
    if (text === undefined) throw new UsageError(`TINK_CONFIG names ${named}, which cannot be read`);
    return parseConfig(text, resolve(cwd, named));
  }
  for (const folder of [cwd, home]) {
    const path = join(folder, '.tinkerbell', 'cli.json');
    const text = around.read(path);
    if (text !== undefined) return parseConfig(text, path);
  }
  return undefined;
}

function parseConfig(text: string, path: string): ConfigFile {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw new UsageError(`${path} is not JSON: ${(error as Error).message}`);
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw new UsageError(`${path} is not a JSON object`);
  const entries = new Map<string, unknown>(Object.entries(value));
  const textOf = (key: string) => {
    const member = entries.get(key) ?? '';
    if (typeof member !== 'string') throw new UsageError(`${path}: ${key} is not text`);
    return member;
  };
  return {
    path,
    server: textOf('server'),
    ca: textOf('ca'),
    username: textOf('username'),
    password: textOf('password'),
  };
}

function parseServer(text: string, source: string): URL {
  const wrong = (what: string) =>
    new UsageError(`${source}: ${JSON.stringify(text)} ${what}`, `for example ${defaultServer}`);
  if (!/^[a-z][a-z0-9+.-]*:\/\//i.test(text)) throw wrong('is not a URL: it begins with http:// or https://');
  if (!URL.canParse(text)) throw wrong('is not a URL');
  const url = new URL(text);
  if (url.protocol !== 'http:' && url.protocol !== 'https:') throw wrong('is neither http:// nor https://');
  return url;
}

function sameServer(text: string, server: URL): boolean {
  return URL.canParse(text) && new URL(text).origin === server.origin;
}

function readCa(path: string, { cwd, read }: Surroundings): string {
  const pem = read(resolve(cwd, path));
  if (pem === undefined) throw new UsageError(`the CA file ${path} cannot be read`);
  if (!pem.includes('-----BEGIN CERTIFICATE-----'))
    throw new UsageError(`the CA file ${path} holds no PEM certificate`);
  return pem;
}

function firstOf(
  candidates: readonly (readonly [string | undefined, string])[],
): readonly [string, string] | undefined {
  for (const [value, source] of candidates) if (value) return [value, source];
  return undefined;
}
