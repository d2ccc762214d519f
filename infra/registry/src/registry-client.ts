import { readFileSync } from 'node:fs';
import { Agent, request } from 'node:https';

/** Where a registry is and how to get in. */
export interface RegistryAccess {
  readonly host: string;
  readonly port: number;
  /** File with the PEM certificate of the authority that signed the registry's certificate. */
  readonly tls: { readonly ca: string };
  readonly account: { readonly username: string; readonly password: string };
}

interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>;
  readonly body: string;
}

/** As much of the OCI distribution API as pushing takes. */
export class RegistryClient {
  private readonly agent: Agent;
  private readonly address: string;
  private readonly auth: string;

  constructor({ host, port, tls, account }: RegistryAccess) {
    this.address = `${host}:${port}`;
    this.auth = `${account.username}:${account.password}`;
    this.agent = new Agent({ ca: readFileSync(tls.ca), keepAlive: true, maxSockets: 4 });
  }

  /** Rejects when the registry does not answer, has another certificate, or refuses the password. */
  async check(): Promise<void> {
    const { status } = await this.send('GET', '/v2/');
    if (status !== 200) throw new Error(`registry ${this.address} answers ${status} to its user`);
  }

  /** Digest of a tag's manifest; undefined when there is none. */
  async digestOf(name: string, tag: string): Promise<string | undefined> {
    const oci = 'application/vnd.oci.image.index.v1+json, application/vnd.oci.image.manifest.v1+json';
    const accept = `${oci}, application/vnd.docker.distribution.manifest.v2+json`;
    const { status, headers } = await this.send('HEAD', `/v2/${name}/manifests/${tag}`, { accept });
    if (status === 404) return undefined;
    this.expect(status, 200, `manifest ${name}:${tag}`);
    const digest = headers['docker-content-digest'];
    return typeof digest === 'string' ? digest : undefined;
  }

  async hasBlob(name: string, digest: string): Promise<boolean> {
    return (await this.send('HEAD', `/v2/${name}/blobs/${digest}`)).status === 200;
  }

  /** The registry checks the digest itself. */
  async putBlob(name: string, digest: string, bytes: Buffer): Promise<void> {
    const begun = await this.send('POST', `/v2/${name}/blobs/uploads/`);
    this.expect(begun.status, 202, `upload to ${name}`, begun.body);
    const location = new URL(String(begun.headers['location']), `https://${this.address}`);
    location.searchParams.set('digest', digest);
    const done = await this.send(
      'PUT',
      `${location.pathname}${location.search}`,
      { 'content-type': 'application/octet-stream' },
      bytes,
    );
    this.expect(done.status, 201, `blob ${digest} of ${name}`, done.body);
  }

  /** `reference`: a tag, or the manifest's own digest. */
  async putManifest(name: string, reference: string, mediaType: string, bytes: Buffer): Promise<void> {
    const { status, body } = await this.send(
      'PUT',
      `/v2/${name}/manifests/${reference}`,
      { 'content-type': mediaType },
      bytes,
    );
    this.expect(status, 201, `manifest ${name}:${reference}`, body);
  }

  close(): void {
    this.agent.destroy();
  }

  private expect(status: number, wanted: number, what: string, body = ''): void {
    if (status !== wanted) throw new Error(`registry ${this.address}: ${what}: ${status} ${body.trim()}`);
  }

  private send(method: string, path: string, headers: Record<string, string> = {}, body?: Buffer): Promise<Answer> {
    return new Promise((resolve, reject) => {
      const outgoing = request(
        `https://${this.address}${path}`,
        {
          method,
          agent: this.agent,
          auth: this.auth,
          headers: { ...headers, ...(body ? { 'content-length': String(body.length) } : {}) },
          timeout: 30_000,
        },
        (incoming) => {
          const chunks: Buffer[] = [];
          incoming.on('data', (chunk: Buffer) => chunks.push(chunk));
          incoming.once('error', reject);
          incoming.once('end', () =>
            resolve({
              status: incoming.statusCode ?? 0,
              headers: incoming.headers,
              body: Buffer.concat(chunks).toString(),
            }),
          );
        },
      );
      outgoing.once('timeout', () => outgoing.destroy(new Error(`registry ${this.address} does not answer`)));
      outgoing.once('error', reject);
      outgoing.end(body);
    });
  }
}
