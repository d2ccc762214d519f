import { join } from 'node:path';
import { workerPermissions } from '@tinkerbell/messaging';
import { encodeAccount, encodeOperator, encodeUser, fmtCreds, type Account } from 'nats-jwt';
import { createAccount, createOperator, createUser, fromPublic, fromSeed, type KeyPair } from 'nkeys.js';
import { readSecret, writeSecret } from './secret-file';

/** What nats-server and the services need to know each other. Only `mintWorkerJwt` signs; no seed leaves this object but the engine's. */
export interface NatsIdentity {
  readonly operatorJwt: string;
  /** Of nats-server itself. */
  readonly systemAccount: { readonly publicKey: string; readonly jwt: string };
  readonly account: { readonly publicKey: string; readonly jwt: string };
  /** Credentials file of the services: everything in the account. Also at `engineCredsFile`, 0600. */
  readonly engineCreds: string;
  readonly engineCredsFile: string;
  /** Credentials file that may ask the server how JetStream is set up, and nothing else. Also at `systemCredsFile`, 0600. */
  readonly systemCreds: string;
  readonly systemCredsFile: string;
  /**
   * A user JWT for the worker's own key, good until `expiresAt` for exactly `workerPermissions(workerId)`.
   * Throws PublicKeyError when that is not a public user nkey, SubjectTokenError for an id that cannot be in a subject.
   */
  mintWorkerJwt(options: {
    readonly publicKey: string;
    readonly workerId: string;
    readonly expiresAt: Date;
  }): Promise<string>;
}

export class PublicKeyError extends Error {
  constructor(readonly publicKey: string) {
    super(`${JSON.stringify(publicKey.slice(0, 80))} is not a public user nkey (U… with 56 characters)`);
  }
}

export class NatsIdentityError extends Error {}

interface Stored {
  readonly v: 1;
  readonly operatorSeed: string;
  readonly systemSeed: string;
  readonly accountSeed: string;
  readonly signingSeed: string;
  readonly engineSeed: string;
  readonly systemUserSeed: string;
  readonly operatorJwt: string;
  readonly systemJwt: string;
  readonly accountJwt: string;
  readonly engineJwt: string;
  readonly systemUserJwt: string;
}

const unlimited = -1;
const noLimits = {
  ...{ subs: unlimited, data: unlimited, payload: unlimited, imports: unlimited, exports: unlimited },
  ...{ wildcards: true, conn: unlimited, leaf: unlimited },
};
const jetStream = { mem_storage: unlimited, disk_storage: unlimited, streams: unlimited, consumer: unlimited };
/** One inbox, one wake-up; the rest is room. */
const workerSubscriptions = 16;

/** The identity in `dir`, made on the first call and the same ever after. Throws NatsIdentityError when its file is damaged. */
export async function ensureNatsIdentity(dir: string): Promise<NatsIdentity> {
  const file = join(dir, 'nats-identity.json');
  const text = await readSecret(file);
  const stored = text === undefined ? await make() : parse(text, file);
  if (text === undefined) await writeSecret(file, `${JSON.stringify(stored, null, 2)}\n`);

  const engine = await credsFile(join(dir, 'engine.creds'), stored.engineJwt, stored.engineSeed);
  const system = await credsFile(join(dir, 'system.creds'), stored.systemUserJwt, stored.systemUserSeed);

  const account = keyPair(stored.accountSeed);
  const signer = keyPair(stored.signingSeed);
  return {
    operatorJwt: stored.operatorJwt,
    systemAccount: { publicKey: keyPair(stored.systemSeed).getPublicKey(), jwt: stored.systemJwt },
    account: { publicKey: account.getPublicKey(), jwt: stored.accountJwt },
    engineCreds: engine.creds,
    engineCredsFile: engine.file,
    systemCreds: system.creds,
    systemCredsFile: system.file,
    async mintWorkerJwt({ publicKey, workerId, expiresAt }) {
      const { publish, subscribe } = workerPermissions(workerId);
      return encodeUser(
        `worker ${workerId}`,
        userKey(publicKey),
        account,
        {
          pub: { allow: [...publish], deny: [] },
          sub: { allow: [...subscribe], deny: [] },
          subs: workerSubscriptions,
          data: unlimited,
          payload: unlimited,
          bearer_token: false,
          allowed_connection_types: ['STANDARD'],
          tags: [`worker:${workerId}`],
        },
        { signer, exp: Math.floor(expiresAt.getTime() / 1000) },
      );
    },
  };
}

async function credsFile(file: string, jwt: string, seed: string): Promise<{ creds: string; file: string }> {
  const creds = new TextDecoder().decode(fmtCreds(jwt, keyPair(seed)));
  if ((await readSecret(file)) !== creds) await writeSecret(file, creds);
  return { creds, file };
}

/** A key pair for a NATS user, made where it will be used: the seed never crosses the wire. */
export function createUserKey(): { readonly publicKey: string; readonly seed: string } {
  const pair = createUser();
  return { publicKey: pair.getPublicKey(), seed: new TextDecoder().decode(pair.getSeed()) };
}

async function make(): Promise<Stored> {
  const operator = createOperator();
  const [system, account, signing] = [createAccount(), createAccount(), createAccount()];
  const [engine, systemUser] = [createUser(), createUser()];
  const accountClaims: Partial<Account> = {
    limits: { ...noLimits, ...jetStream },
    signing_keys: [signing.getPublicKey()],
  };
  const seed = (pair: KeyPair) => new TextDecoder().decode(pair.getSeed());
  return {
    v: 1,
    operatorSeed: seed(operator),
    systemSeed: seed(system),
    accountSeed: seed(account),
    signingSeed: seed(signing),
    engineSeed: seed(engine),
    systemUserSeed: seed(systemUser),
    operatorJwt: await encodeOperator('tinkerbell', operator, { system_account: system.getPublicKey() }),
    systemJwt: await encodeAccount('SYS', system, { limits: noLimits }, { signer: operator }),
    accountJwt: await encodeAccount('TINK', account, accountClaims, { signer: operator }),
    engineJwt: await encodeUser('engine', engine, account),
    systemUserJwt: await encodeUser('gate', systemUser, system, {
      pub: { allow: ['$SYS.REQ.SERVER.PING.JSZ'], deny: [] },
      sub: { allow: ['_INBOX.>'], deny: [] },
    }),
  };
}

function parse(text: string, file: string): Stored {
  const remedy = `restore ${file} from a backup, or remove it to get a new identity (every worker must enrol again)`;
  try {
    const stored = JSON.parse(text) as Stored;
    if (stored.v !== 1) throw new Error(`version ${String(stored.v)} is unknown`);
    for (const name of [
      'operatorSeed',
      'systemSeed',
      'accountSeed',
      'signingSeed',
      'engineSeed',
      'systemUserSeed',
    ] as const) {
      keyPair(stored[name]);
    }
    for (const name of ['operatorJwt', 'systemJwt', 'accountJwt', 'engineJwt', 'systemUserJwt'] as const) {
      if (typeof stored[name] !== 'string') throw new Error(`${name} is missing`);
    }
    return stored;
  } catch (error) {
    throw new NatsIdentityError(`${file} is damaged: ${remedy}`, { cause: error });
  }
}

function keyPair(seed: string): KeyPair {
  return fromSeed(new TextEncoder().encode(seed));
}

function userKey(publicKey: string): KeyPair {
  if (!/^U[A-Z2-7]{55}$/.test(publicKey)) throw new PublicKeyError(publicKey);
  try {
    return fromPublic(publicKey);
  } catch {
    throw new PublicKeyError(publicKey);
  }
}
