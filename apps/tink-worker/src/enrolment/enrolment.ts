import { createHash, X509Certificate } from 'node:crypto';
import type { EnrolReply, EnrolRequest } from '@tinkerbell/messaging';
import { errorText, insist, jitter, type Pace } from '../pace';
import type { WorkerLog } from '../worker-log';
import {
  faultOf,
  readCredentials,
  trustRegistry,
  writeCredentials,
  type Credentials,
  type OwnKey,
} from './credentials';
import { call } from './http';
import { createUserKey } from './user-key';

export interface EnrolmentOptions {
  readonly workerId: string;
  readonly mac: string;
  readonly token: string;
  /** `https://<tink-server>`. */
  readonly serverUrl: string;
  /** Where the authority's certificate is fetched, without any protection, … */
  readonly certUrl: string;
  /** … which is why its SHA-256 (hex, of the DER) must be this. */
  readonly caSha256: string;
  readonly credentialsFile: string;
  readonly dockerCertsDirectory: string;
  /** The machine gets another token when it boots anew, and may do so: it does nothing yet. */
  readonly mayBootAgain: boolean;
  readonly pace: Pace;
}

/** What was given does not suffice to enrol; nobody will ever make it so. */
export class EnrolmentImpossibleError extends Error {
  override readonly name = 'EnrolmentImpossibleError';
}

/** The certificate is not the one that was pinned: another installation, or somebody in between. */
export class CaMismatchError extends Error {
  override readonly name = 'CaMismatchError';
}

/** The one-time token's time is over before the worker enrolled. The machine gets another one with its next boot. */
export class TokenExpiredError extends Error {
  override readonly name = 'TokenExpiredError';
  constructor(
    message: string,
    readonly bootAgainSeconds: number,
  ) {
    super(message);
  }
}

/** How the worker gets its credential: from its file, or for a one-time token from tink-server. */
export class Enrolment {
  constructor(
    private readonly options: EnrolmentOptions,
    private readonly log: WorkerLog,
  ) {}

  /** Tries until it has one. Throws EnrolmentImpossibleError, and TokenExpiredError when it is time to boot anew; rejects when aborted. */
  async credentials(signal: AbortSignal): Promise<Credentials> {
    const { workerId, credentialsFile } = this.options;
    const stored = readCredentials(credentialsFile);
    const mine = stored?.key.workerId === workerId ? stored : undefined;
    if (stored && !mine)
      this.log.warn(`${credentialsFile} belongs to worker ${stored.key.workerId}, not to ${workerId}`);
    if (mine?.whole && Date.parse(mine.whole.expiresAt) > Date.now()) {
      this.trust(mine.whole);
      return mine.whole;
    }
    if (mine?.whole) this.log.warn(`the credential in ${credentialsFile} expired at ${mine.whole.expiresAt}`);
    return this.options.mayBootAgain ? this.enrolInTime(signal) : this.enrol(signal);
  }

  /** Goes on trying after the token has expired, but not for ever. */
  private async enrolInTime(signal: AbortSignal): Promise<Credentials> {
    const late = new AbortController();
    let timer: NodeJS.Timeout | undefined;
    let expired: TokenExpiredError | undefined;
    try {
      return await this.enrol(AbortSignal.any([signal, late.signal]), (error) => {
        if (!(error instanceof TokenExpiredError) || timer) return;
        expired = error;
        this.log.stage(`${error.message}; boots anew in ${error.bootAgainSeconds} s`);
        timer = setTimeout(() => late.abort(), jitter(error.bootAgainSeconds * 1000));
      });
    } catch (error) {
      throw late.signal.aborted && expired ? expired : error;
    } finally {
      clearTimeout(timer);
    }
  }

  /** A new credential for the same key, whatever the file holds. */
  async enrol(signal: AbortSignal, failed: (error: unknown) => void = () => {}): Promise<Credentials> {
    this.demand();
    const { key, renews } = this.key();
    const credentials = await insist(
      this.options.pace,
      signal,
      () => this.ask(key, signal),
      (error, tries) => {
        failed(error);
        if (tries === 1 || tries % 10 === 0) this.log.warn(`enrolment failed, try ${tries}: ${errorText(error)}`);
      },
    );
    writeCredentials(this.options.credentialsFile, credentials);
    this.trust(credentials);
    this.log.stage(renews ? 'credential renewed' : 'enrolled');
    return credentials;
  }

  private demand(): void {
    const { token, serverUrl, certUrl, caSha256, mac, credentialsFile } = this.options;
    const needed = {
      TINK_TOKEN: token,
      TINK_SERVER_URL: serverUrl,
      TINK_CERT_URL: certUrl,
      TINK_CA_SHA256: caSha256,
      HW_ADDR: mac,
    };
    const missing = Object.entries(needed).flatMap(([name, value]) => (value === '' ? [name] : []));
    if (missing.length === 0) return;
    throw new EnrolmentImpossibleError(
      `no valid credential in ${credentialsFile}, and ${missing.join(', ')} not set: cannot enrol`,
    );
  }

  /** On the disk before its public half is sent: when the answer is lost, the token still is good for this key. */
  private key(): { readonly key: OwnKey; readonly renews: boolean } {
    const { workerId, credentialsFile } = this.options;
    const stored = readCredentials(credentialsFile);
    if (stored?.key.workerId === workerId) return { key: stored.key, renews: stored.whole !== undefined };
    const key = { workerId, ...createUserKey() };
    writeCredentials(credentialsFile, key);
    return { key, renews: false };
  }

  private async ask(key: OwnKey, signal: AbortSignal): Promise<Credentials> {
    const { workerId, mac, token, serverUrl, certUrl, caSha256, pace } = this.options;
    const timeoutMs = pace.requestMs;
    const cert = await call({ url: certUrl, method: 'GET', timeoutMs, signal });
    if (cert.status !== 200) throw new Error(`${certUrl} answered ${cert.status}`);
    const ca = pinned(cert.text, caSha256, certUrl);
    const body: EnrolRequest = { workerId, mac, token, publicKey: key.publicKey };
    const url = `${serverUrl.replace(/\/+$/, '')}/v1/enrol`;
    const { status, text } = await call({ url, method: 'POST', body, ca, timeoutMs, signal });
    if (status < 200 || status > 299) throw refusal(`${url} answered ${status}`, text);
    const reply = parseReply(text, url);
    if (reply.workerId !== workerId) throw new Error(`${url} answered for worker ${reply.workerId}`);
    return { ...reply, ...key };
  }

  private trust({ registry, ca }: Credentials): void {
    if (registry.address === '') return;
    try {
      trustRegistry(this.options.dockerCertsDirectory, registry.address, ca);
    } catch (error) {
      this.log.warn(`the engine may not trust the registry: ${errorText(error)}`);
    }
  }
}

/** The one certificate of a PEM file that has this digest; nothing else in it is to be trusted. Throws CaMismatchError. */
export function pinned(pem: string, sha256: string, where: string): string {
  const blocks = pem.match(/-----BEGIN CERTIFICATE-----[\s\S]+?-----END CERTIFICATE-----/g) ?? [];
  const found = blocks.map((block) => ({ block, digest: digestOf(block) }));
  const match = found.find(({ digest }) => digest === sha256.toLowerCase());
  if (match) return `${match.block}\n`;
  const seen = found.map(({ digest }) => digest).join(', ') || 'no certificate';
  throw new CaMismatchError(`refusing ${where}: it holds ${seen}, but TINK_CA_SHA256 is ${sha256.toLowerCase()}`);
}

function digestOf(pem: string): string {
  try {
    return createHash('sha256').update(new X509Certificate(pem).raw).digest('hex');
  } catch {
    return 'a damaged certificate';
  }
}

function parseReply(text: string, url: string): EnrolReply {
  let reply: Partial<EnrolReply>;
  try {
    reply = JSON.parse(text) as Partial<EnrolReply>;
  } catch {
    throw new Error(`${url}: the answer is not JSON`);
  }
  const fault = faultOf(reply);
  if (fault) throw new Error(`${url}: ${fault} in the answer`);
  return reply as EnrolReply;
}

function refusal(answered: string, text: string): Error {
  let said: { error?: { message?: string; bootAgainSeconds?: unknown }; message?: string } = {};
  try {
    said = JSON.parse(text) as typeof said;
  } catch {
    // Somebody else's page.
  }
  const { message = said.message ?? text.slice(0, 200), bootAgainSeconds } = said.error ?? {};
  return typeof bootAgainSeconds === 'number' && bootAgainSeconds >= 0
    ? new TokenExpiredError(message, bootAgainSeconds)
    : new Error(`${answered}: ${message}`);
}
