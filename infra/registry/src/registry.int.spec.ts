import { execFileSync, spawnSync } from 'node:child_process';
import { createHash, X509Certificate } from 'node:crypto';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import type { IncomingMessage } from 'node:http';
import { request } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TLSSocket } from 'node:tls';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { fillRegistry } from './fill';
import { startRegistry, type Registry, type RegistryOptions } from './registry';
import { RegistryClient } from './registry-client';

const dir = mkdtempSync(join(tmpdir(), 'registry-'));
const layout = join(dir, 'layout');
let options: RegistryOptions;
let registry: Registry;

function selfSigned(name: string): RegistryOptions['tls'] {
  const [key, cert] = [join(dir, `${name}.key`), join(dir, `${name}.crt`)];
  const args =
    'req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=registry -addext subjectAltName=IP:127.0.0.1';
  execFileSync('openssl', [...args.split(' '), '-keyout', key, '-out', cert], { stdio: 'ignore' });
  return { ca: cert, cert, key };
}

const annotations = { 'org.opencontainers.image.ref.name': 'tiny:latest' };

/** An image of one tiny layer, as an OCI layout. */
function writeLayout(text: string): void {
  writeFileSync(join(layout, 'index.json'), JSON.stringify({ manifests: [{ ...writeImage(text), annotations }] }));
}

/** The same for two architectures under one name. */
function writeMultiPlatformLayout(texts: Readonly<Record<string, string>>): void {
  const manifests = Object.entries(texts).map(([architecture, text]) => ({
    ...writeImage(text),
    platform: { architecture, os: 'linux' },
  }));
  const mediaType = 'application/vnd.oci.image.index.v1+json';
  const index = writeBlob(Buffer.from(JSON.stringify({ schemaVersion: 2, mediaType, manifests })));
  writeFileSync(join(layout, 'index.json'), JSON.stringify({ manifests: [{ mediaType, ...index, annotations }] }));
}

function writeBlob(bytes: Buffer) {
  const hex = createHash('sha256').update(bytes).digest('hex');
  mkdirSync(join(layout, 'blobs/sha256'), { recursive: true });
  writeFileSync(join(layout, 'blobs/sha256', hex), bytes);
  return { digest: `sha256:${hex}`, size: bytes.length };
}

function writeImage(text: string) {
  const config = { mediaType: 'application/vnd.oci.image.config.v1+json', ...writeBlob(Buffer.from('{}')) };
  const layer = { mediaType: 'application/vnd.oci.image.layer.v1.tar', ...writeBlob(Buffer.from(text)) };
  const mediaType = 'application/vnd.oci.image.manifest.v1+json';
  const manifest = { schemaVersion: 2, mediaType, config, layers: [layer] };
  return { mediaType, ...writeBlob(Buffer.from(JSON.stringify(manifest))) };
}

/** The text of `tiny:latest`, fetched by skopeo as any worker's engine would. */
function pull({ address, access }: Registry, architecture = 'amd64'): string {
  const [certs, out] = [mkdtempSync(join(dir, 'certs-')), mkdtempSync(join(dir, 'pulled-'))];
  writeFileSync(join(certs, 'ca.crt'), readFileSync(access.tls.ca));
  const login = `${access.account.username}:${access.account.password}`;
  const flags = [
    '--insecure-policy',
    '--override-arch',
    architecture,
    'copy',
    '-q',
    '--src-cert-dir',
    certs,
    '--src-creds',
    login,
  ];
  execFileSync('skopeo', [...flags, `docker://${address}/tiny:latest`, `dir:${out}`]);
  const { layers } = JSON.parse(readFileSync(join(out, 'manifest.json'), 'utf8')) as { layers: { digest: string }[] };
  return readFileSync(join(out, layers[0]?.digest.replace('sha256:', '') ?? ''), 'utf8');
}

beforeAll(async () => {
  const account = { username: 'worker', password: 'correct horse' };
  options = { dataDir: join(dir, 'data'), host: '127.0.0.1', port: 0, tls: selfSigned('server'), account };
  registry = await startRegistry(options);
});

afterAll(async () => {
  await registry.stop();
  rmSync(dir, { recursive: true, force: true });
});

describe('registry', () => {
  it('refuses a wrong password', async () => {
    const account = { username: 'worker', password: 'wrong' };
    const stranger = new RegistryClient({ ...registry.access, account });
    await expect(stranger.check()).rejects.toThrow('answers 401');
    stranger.close();
  });

  it('is not talked to with a certificate of another authority', async () => {
    const client = new RegistryClient({ ...registry.access, tls: selfSigned('stranger') });
    await expect(client.check()).rejects.toThrow(/self-signed|certificate|signature/i);
    client.close();
  });

  it('is filled once, and again only with what changed', async () => {
    writeLayout('one');
    const [first] = await fillRegistry(registry.access, layout);
    expect(first).toMatchObject({ name: 'tiny:latest', pushed: true });
    expect(await fillRegistry(registry.access, layout)).toEqual([{ ...first, pushed: false }]);
    writeLayout('two');
    const [second] = await fillRegistry(registry.access, layout);
    expect(second?.pushed).toBe(true);
    expect(second?.digest).not.toBe(first?.digest);
  });

  it('gives each architecture its own image of one name', async () => {
    writeMultiPlatformLayout({ amd64: 'for amd64', arm64: 'for arm64' });
    const [index] = await fillRegistry(registry.access, layout);
    expect(index).toMatchObject({ name: 'tiny:latest', pushed: true });
    expect(pull(registry, 'arm64')).toBe('for arm64');
    expect(pull(registry, 'amd64')).toBe('for amd64');
    expect(await fillRegistry(registry.access, layout)).toEqual([{ ...index, pushed: false }]);
    writeLayout('two');
    await fillRegistry(registry.access, layout);
  });

  it('keeps its images over a restart', async () => {
    const [before] = await fillRegistry(registry.access, layout);
    await registry.stop();
    registry = await startRegistry(options);
    expect(await fillRegistry(registry.access, layout)).toEqual([{ ...before, pushed: false }]);
  });

  it('shows a renewed certificate once it is started again', async () => {
    const before = readFileSync(options.tls.cert);
    selfSigned('server');
    expect(readFileSync(options.tls.cert)).not.toEqual(before);
    const client = new RegistryClient(registry.access);
    await expect(client.check()).rejects.toThrow(/self-signed|certificate|signature/i);
    await registry.restart();
    await client.check();
    client.close();
  });

  it('has nothing to push where nothing was built', async () =>
    expect(await fillRegistry(registry.access, join(dir, 'nothing'))).toEqual([]));

  it('takes what infra/actions/build.mjs pushes with the login of its environment', async () => {
    const { username, password } = registry.access.account;
    const push = (login: string) =>
      execFileSync(
        process.execPath,
        ['infra/actions/build.mjs', '--push', registry.address, '--ca', registry.access.tls.ca],
        { env: { ...process.env, REGISTRY_CREDENTIALS: login }, stdio: 'pipe' },
      );
    expect(() => push(`${username}:wrong`)).toThrow(/unauthorized|authentication required/);
    push(`${username}:${password}`);
    const client = new RegistryClient(registry.access);
    expect(await client.digestOf('reboot', 'latest')).toMatch(/^sha256:/);
    client.close();
  }, 120_000);

  describe('with a new certificate', () => {
    let renewed: Registry;
    let tls: RegistryOptions['tls'];
    beforeAll(async () => {
      tls = selfSigned('renewed');
      renewed = await startRegistry({ ...options, dataDir: join(dir, 'renewed'), port: 0, tls });
      writeLayout(big);
      await fillRegistry(renewed.access, layout);
    });
    afterAll(() => renewed.stop());
    const big = 'x'.repeat(64 << 20);
    const digest = `sha256:${createHash('sha256').update(big).digest('hex')}`;
    const pids = () =>
      spawnSync('pgrep', ['-f', `serve ${join(dir, 'renewed')}/`], { encoding: 'utf8' })
        .stdout.split('\n')
        .filter(Boolean);

    /** Of the big layer; `rest` is not read before it is asked for. */
    async function download() {
      const { host, port, account } = renewed.access;
      const auth = `${account.username}:${account.password}`;
      const ca = readFileSync(tls.cert);
      const outgoing = request({ host, port, auth, ca, path: `/v2/tiny/blobs/${digest}`, agent: false });
      outgoing.end();
      const [incoming] = (await once(outgoing, 'response')) as [IncomingMessage];
      const certificate = (incoming.socket as TLSSocket).getPeerX509Certificate()?.fingerprint256;
      const rest = async () => {
        let bytes = 0;
        for await (const chunk of incoming as AsyncIterable<Buffer>) bytes += chunk.length;
        return bytes;
      };
      return { status: incoming.statusCode, certificate, rest };
    }

    it('serves it after a restart, and ends what it is sending', async () => {
      const before = await download();
      expect(before.status).toBe(200);
      tls = selfSigned('renewed');
      await renewed.restart();
      const after = await download();
      expect(after.certificate).toBe(new X509Certificate(readFileSync(tls.cert)).fingerprint256);
      expect(after.certificate).not.toBe(before.certificate);
      expect(pids()).toHaveLength(2);
      expect(await before.rest()).toBe(big.length);
      await expect.poll(() => pids().length).toBe(1);
      expect(await after.rest()).toBe(big.length);
    });

    it('is stopped with what it was sending', async () => {
      const before = await download();
      await renewed.restart();
      await renewed.stop();
      expect(pids()).toEqual([]);
      await expect(before.rest()).rejects.toThrow();
    });
  });

  it('names the port when another has it', async () => {
    const again = startRegistry({ ...options, dataDir: join(dir, 'other'), port: registry.port });
    await expect(again).rejects.toThrow(`port ${registry.port} is taken`);
  });

  describe('once sealed', () => {
    let sealed: Registry;
    const exits: string[] = [];
    beforeAll(async () => {
      const onExit = (reason: string) => exits.push(reason);
      sealed = await startRegistry({ ...options, dataDir: join(dir, 'sealed'), port: 0, onExit });
    });
    afterAll(() => sealed.stop());

    it('gives its images and takes none, also after it died', async () => {
      writeLayout('good');
      const filled = await fillRegistry(sealed.access, layout);
      await sealed.seal(filled);
      expect(exits).toEqual([]);
      const check = async () => {
        writeLayout('evil');
        await expect(fillRegistry(sealed.access, layout)).rejects.toThrow('405');
        const client = new RegistryClient(sealed.access);
        const manifest = readFileSync(join(layout, 'index.json'));
        await expect(client.putManifest('tiny', 'latest', 'application/json', manifest)).rejects.toThrow('405');
        expect(await client.digestOf('tiny', 'latest')).toBe(filled[0]?.digest);
        client.close();
        expect(pull(sealed)).toBe('good');
      };
      await check();
      const pid = execFileSync('pgrep', ['-f', `serve ${join(dir, 'sealed')}/`], { encoding: 'utf8' }).trim();
      process.kill(Number(pid), 'SIGKILL');
      const client = new RegistryClient(sealed.access);
      const digest = () => client.digestOf('tiny', 'latest').catch(() => 'silent');
      await expect.poll(() => exits.length).toBe(1);
      await expect.poll(digest).toBe(filled[0]?.digest);
      client.close();
      await check();
    });

    it('tells when an image is not the one that was filled', async () => {
      const digest = `sha256:${'0'.repeat(64)}`;
      const sealing = sealed.seal([{ name: 'tiny:latest', digest, pushed: true }]);
      await expect(sealing).rejects.toThrow(/^tiny:latest is sha256:\w+, not sha256:0+: somebody pushed/);
    });
  });

  it('is started again when it dies', async () => {
    const exits: string[] = [];
    const other = await startRegistry({
      ...options,
      dataDir: join(dir, 'dies'),
      port: 0,
      onExit: (reason) => exits.push(reason),
    });
    const pid = execFileSync('pgrep', ['-f', `serve ${join(dir, 'dies')}/`], { encoding: 'utf8' }).trim();
    process.kill(Number(pid), 'SIGKILL');
    const client = new RegistryClient(other.access);
    await expect.poll(() => exits.length).toBe(1);
    await expect
      .poll(
        () =>
          client.check().then(
            () => 'answers',
            () => 'silent',
          ),
        { timeout: 60_000 },
      )
      .toBe('answers');
    expect(exits[0]).toContain('SIGKILL');
    client.close();
    await other.stop();
  });
});
