import { Agent, request } from 'node:https';
import { RequestError } from '../http/http-errors';

/** Where our own registry is, and how to get in. */
export interface OwnRegistry {
  /** `host:port`; empty: there is none. */
  readonly address: string;
  readonly username: string;
  readonly password: string;
  /** PEM of the authority that signed its certificate. */
  readonly ca: string;
}

/** Our registry does not answer: that is not the template's fault. */
export class RegistryUnavailableError extends RequestError {
  readonly status = 503;
  readonly code = 'UNAVAILABLE';
  constructor(address: string, reason: string) {
    super(`registry ${address} does not answer (${reason}): try again`);
  }
}

/** The digest of an image's manifest, or why there is none for us. */
export type Resolved = { readonly digest: string } | { readonly fault: string };

interface Reference {
  readonly registry: string;
  readonly path: string;
  readonly tag: string;
}
interface Head {
  readonly status: number;
  readonly digest: string | undefined;
  /** `WWW-Authenticate`. */
  readonly challenge: string;
}

const manifestTypes = [
  'application/vnd.oci.image.index.v1+json',
  'application/vnd.docker.distribution.manifest.list.v2+json',
  'application/vnd.oci.image.manifest.v1+json',
  'application/vnd.docker.distribution.manifest.v2+json',
].join(', ');
const patienceMilliseconds = 10_000;
const maxTokenBytes = 65_536;

/** Asks registries what an image's name stands for now (OCI distribution, `HEAD /v2/<name>/manifests/<tag>`), always over verified TLS. */
export class RegistryImages {
  private readonly trusting: Agent;
  private readonly others = new Agent();

  constructor(private readonly own: OwnRegistry) {
    this.trusting = new Agent({ ca: own.ca });
  }

  /** `image`: a valid name without a digest. Throws RegistryUnavailableError. */
  async resolve(image: string): Promise<Resolved> {
    const reference = referenceOf(image, this.own.address);
    if (!reference) {
      return { fault: 'there is no registry of ours: name its registry, or write its digest (name@sha256:…)' };
    }
    const isOwn = reference.registry === this.own.address;
    const { username, password } = this.own;
    try {
      const authorization = isOwn && username !== '' ? basic(username, password) : undefined;
      const head = await this.head(reference, isOwn, authorization);
      if (isOwn || head.status !== 401) return answerOf(reference, head, isOwn);
      const token = await this.anonymousToken(head.challenge);
      const again = token === undefined ? head : await this.head(reference, false, `Bearer ${token}`);
      return answerOf(reference, again, false);
    } catch (error) {
      if (error instanceof RequestError) throw error;
      const reason = error instanceof Error ? error.message : String(error);
      if (isOwn) throw new RegistryUnavailableError(reference.registry, reason);
      return { fault: `registry ${reference.registry} cannot be asked (${reason}): ${writeDigest}` };
    }
  }

  close(): void {
    this.trusting.destroy();
    this.others.destroy();
  }

  private async head({ registry, path, tag }: Reference, isOwn: boolean, authorization?: string): Promise<Head> {
    const url = new URL(`https://${registry}/v2/${path}/manifests/${tag}`);
    const { status, headers } = await this.send('HEAD', url, isOwn, { accept: manifestTypes }, authorization);
    const digest = headers['docker-content-digest'];
    return {
      status,
      digest: typeof digest === 'string' && /^sha256:[0-9a-f]{64}$/.test(digest) ? digest : undefined,
      challenge: String(headers['www-authenticate'] ?? ''),
    };
  }

  /** Public registries give everybody a token for what is public (distribution's token protocol). */
  private async anonymousToken(challenge: string): Promise<string | undefined> {
    const field = (name: string): string | undefined => new RegExp(`${name}="([^"]*)"`, 'i').exec(challenge)?.[1];
    const realm = field('realm');
    if (!/^bearer /i.test(challenge) || realm === undefined || !realm.startsWith('https://')) return undefined;
    const url = new URL(realm);
    for (const name of ['service', 'scope']) {
      const value = field(name);
      if (value !== undefined) url.searchParams.set(name, value);
    }
    const { status, body } = await this.send('GET', url, false, {});
    if (status !== 200) return undefined;
    const { token, access_token: other } = JSON.parse(body) as Readonly<Record<string, unknown>>;
    return typeof token === 'string' ? token : typeof other === 'string' ? other : undefined;
  }

  private send(
    method: 'GET' | 'HEAD',
    url: URL,
    isOwn: boolean,
    headers: Readonly<Record<string, string>>,
    authorization?: string,
  ): Promise<{ status: number; headers: Readonly<Record<string, unknown>>; body: string }> {
    return new Promise((resolve, reject) => {
      const outgoing = request(
        url,
        {
          method,
          agent: isOwn ? this.trusting : this.others,
          headers: { ...headers, ...(authorization === undefined ? {} : { authorization }) },
          timeout: patienceMilliseconds,
          signal: AbortSignal.timeout(patienceMilliseconds),
        },
        (incoming) => {
          let body = '';
          incoming.setEncoding('utf8');
          incoming.on('data', (chunk: string) => {
            body += chunk;
            if (body.length > maxTokenBytes) outgoing.destroy(new Error('its answer is too long'));
          });
          incoming.once('error', reject);
          incoming.once('end', () => resolve({ status: incoming.statusCode ?? 0, headers: incoming.headers, body }));
        },
      );
      outgoing.once('timeout', () => outgoing.destroy(new Error('no answer in time')));
      outgoing.once('error', reject);
      outgoing.end();
    });
  }
}

const writeDigest = 'write the image with its digest (name@sha256:…)';

function answerOf({ registry, path, tag }: Reference, { status, digest }: Head, isOwn: boolean): Resolved {
  if (status === 200 && digest !== undefined) return { digest };
  if (status === 404) return { fault: `registry ${registry} has no ${path}:${tag}` };
  if (status === 200)
    return { fault: `registry ${registry} does not tell the digest of ${path}:${tag}: ${writeDigest}` };
  const known = isOwn
    ? 'does not let tink-server in'
    : 'does not answer without credentials, and tink-server has none for it';
  const reason = status === 401 || status === 403 ? known : `answers ${status}`;
  if (isOwn && status >= 500) throw new RegistryUnavailableError(registry, `status ${status}`);
  return { fault: `registry ${registry} ${reason}: ${writeDigest}` };
}

function basic(username: string, password: string): string {
  return `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`;
}

/** As the worker reads a name: without a registry it belongs to ours, without a tag it is `latest`. */
function referenceOf(image: string, own: string): Reference | undefined {
  const slash = image.indexOf('/');
  const first = slash < 0 ? '' : image.slice(0, slash);
  const isNamed = first === 'localhost' || /[.:]/.test(first);
  if (!isNamed && own === '') return undefined;
  const rest = isNamed ? image.slice(slash + 1) : image;
  const [, path = rest, tag = 'latest'] = /^(.*?)(?::([^/:]+))?$/.exec(rest) ?? [];
  if (isNamed && first === 'docker.io') {
    return { registry: 'registry-1.docker.io', path: path.includes('/') ? path : `library/${path}`, tag };
  }
  return { registry: isNamed ? first : own, path, tag };
}
