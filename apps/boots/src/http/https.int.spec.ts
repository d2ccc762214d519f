import { execFile, execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { copyFile, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect } from 'node:tls';
import { promisify } from 'node:util';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { type Bench, machineAddress, startBench } from '../boots.testing';
import { firmware } from '../dhcp/requests.testing';
import { silentLogger } from '../logger';
import { openHttpsDoor } from './https-door';
import { readHttpsFiles } from './https-files';

let dir = '';
let bench: Bench | undefined;
const file = (name: string) => join(dir, name);

/** An authority of its own, as a certificate for `address`. */
function certificate(name: string, address: string, { keys = 'rsa:2048', days = '2' } = {}) {
  const curve = keys === 'ec' ? ['-pkeyopt', 'ec_paramgen_curve:P-256'] : [];
  const names = ['-subj', `/CN=${name}`, '-addext', `subjectAltName=IP:${address}`];
  const files = ['-keyout', file(`${name}.key`), '-out', file(`${name}.crt`)];
  execFileSync('openssl', ['req', '-x509', '-nodes', '-newkey', keys, ...curve, ...names, '-days', days, ...files], {
    stdio: 'pipe',
  });
}

beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'boots-https-'));
  certificate('good', '127.0.0.1');
  certificate('stranger', '127.0.0.1');
  certificate('elsewhere', '192.0.2.1');
  certificate('curve', '127.0.0.1', { keys: 'ec' });
  await writeFile(file('empty'), '');
});
afterEach(async () => {
  await bench?.close();
  bench = undefined;
});
afterAll(() => rm(dir, { recursive: true, force: true }));

const settingsOf = (cert: string, key = cert) => ({
  ...{ BOOTS_HTTPS: 'true', BOOTS_HTTPS_PORT: 0 },
  ...{ BOOTS_HTTPS_CERT_FILE: file(`${cert}.crt`), BOOTS_HTTPS_KEY_FILE: file(`${key}.key`) },
});

async function start(settings: Readonly<Record<string, unknown>>): Promise<Bench> {
  bench = await startBench({ settings });
  return bench;
}

/** As a machine; the authority is all that it trusts. */
async function curl({ boots }: Bench, authority: string, path: string, ...more: string[]): Promise<string> {
  const url = `https://127.0.0.1:${boots.https?.port}${path}`;
  const from = ['--interface', machineAddress, '--cacert', file(`${authority}.crt`)];
  return (await promisify(execFile)('curl', ['-sS', ...from, ...more, url])).stdout;
}

describe('boots by HTTPS', () => {
  it('serves what it serves by HTTP, and sends UEFI HTTP boot there', async () => {
    const running = await start(settingsOf('good'));
    await writeFile(join(running.folders.ipxe, 'ipxe.efi'), 'a program');
    const reply = await running.lease(...firmware(16, 'HTTPClient'));
    const url = `https://127.0.0.1:${running.boots.https?.port}/01:02:03:04:05:06/ipxe.efi`;
    expect(Buffer.from(reply.options.get(67) ?? reply.file).toString()).toContain(url);
    expect(await curl(running, 'good', '/01:02:03:04:05:06/ipxe.efi')).toBe('a program');
    expect(await curl(running, 'good', '/ipxe.efi', '--range', '2-4')).toBe('pro');
    const { body } = await running.http('/ipxe.efi');
    expect(body).toBe('a program');
  });

  it('sends long files whole', async () => {
    const running = await start(settingsOf('good'));
    const bytes = randomBytes(5_000_003);
    await writeFile(join(running.folders.osie, 'rootfs-x86_64'), bytes);
    const got = file('got');
    await curl(running, 'good', '/osie/rootfs-x86_64', '-o', got);
    expect((await readFile(got)).equals(bytes)).toBe(true);
  });

  it('is not believed by who trusts another authority, and the flight recorder tells so', async () => {
    const running = await start(settingsOf('good'));
    await running.lease(...firmware(16, 'HTTPClient'));
    await expect(curl(running, 'stranger', '/ipxe.efi')).rejects.toThrow(/certificate/);
    await expect
      .poll(async () =>
        (await running.events()).flatMap((e) => (e.type === 'BootRequestFailed' ? [e.data.detail] : [])),
      )
      .toEqual(['TLS: the machine does not trust the authority of our certificate (unknown CA)']);
  });

  it('answers no TLS older than 1.2, and closes for good', async () => {
    const running = await start(settingsOf('good'));
    await expect(curl(running, 'good', '/healthz', '--tls-max', '1.1')).rejects.toThrow();
    expect(JSON.parse(await curl(running, 'good', '/healthz', '--tls-max', '1.2'))).toMatchObject({ status: 'ok' });
    await running.close();
    bench = undefined;
    await expect(curl(running, 'good', '/healthz')).rejects.toThrow(/connect|refused/i);
  });

  it('counts against the limits of connections', async () => {
    const running = await start({ ...settingsOf('good'), BOOTS_HTTP_MAX_CONNECTIONS: 1, BOOTS_HTTP_IDLE_SECONDS: 5 });
    const port = running.boots.https?.port ?? 0;
    const silent = connect({ host: '127.0.0.1', port, ca: await readFile(file('good.crt')) });
    await once(silent, 'secureConnect');
    expect(await curl(running, 'good', '/healthz')).toContain('BOOTS_HTTP_MAX_CONNECTIONS');
    silent.destroy();
  });

  it('takes new files when they are good, and keeps the old ones until then', async () => {
    certificate('first', '127.0.0.1');
    certificate('second', '127.0.0.1');
    const names = { BOOTS_HTTPS_CERT_FILE: file('live.crt'), BOOTS_HTTPS_KEY_FILE: file('live.key') };
    const put = (name: string, end: string) => copyFile(file(`${name}.${end}`), file(`live.${end}`));
    await put('first', 'crt');
    await put('first', 'key');
    const reread = () =>
      readHttpsFiles(
        { ...names, PUBLIC_IP: '127.0.0.1', BOOTS_FURTHER_IPS: '', BOOTS_HTTP_ADDRESS: '0.0.0.0' },
        new Date(),
      );
    const said: string[] = [];
    const log = { ...silentLogger, info: (t: string) => said.push(t), warn: (t: string) => said.push(t) };
    const house = createServer((_, response) => response.end('at home'));
    const parts = { callers: { who: () => undefined }, failed: { note: () => undefined }, log, reread, rereadMs: 20 };
    const door = await openHttpsDoor(house, await reread(), { address: '127.0.0.1', port: 0 }, parts);
    const asked = (authority: string) =>
      promisify(execFile)('curl', ['-sS', '--cacert', file(`${authority}.crt`), `https://127.0.0.1:${door.port}/`]);
    try {
      await put('second', 'crt');
      await expect.poll(() => said.at(-1)).toMatch(/live\.key is not the key of .*live\.crt; HTTPS keeps/);
      expect((await asked('first')).stdout).toBe('at home');
      await put('second', 'key');
      await expect.poll(() => said.at(-1)).toMatch(/^HTTPS has a new certificate of CN=second until /);
      expect((await asked('second')).stdout).toBe('at home');
      await expect(asked('first')).rejects.toThrow(/certificate/);
    } finally {
      door.close();
      house.closeAllConnections();
    }
  });

  it('is off unless it is asked for', async () => expect((await start({})).boots.https).toBeUndefined());

  it.each([
    ['no certificate', { BOOTS_HTTPS: 'true' }, 'BOOTS_HTTPS needs BOOTS_HTTPS_CERT_FILE, a file in PEM'],
    ['a missing file', () => settingsOf('none', 'good'), /^BOOTS_HTTPS_CERT_FILE: ENOENT.*none\.crt/],
    [
      'no PEM',
      () => ({ ...settingsOf('good'), BOOTS_HTTPS_CERT_FILE: file('empty') }),
      /empty has no certificate in PEM/,
    ],
    [
      'no key',
      () => ({ ...settingsOf('good'), BOOTS_HTTPS_KEY_FILE: file('empty') }),
      /empty has no private key in PEM/,
    ],
    [
      'another key',
      () => settingsOf('good', 'stranger'),
      /^BOOTS_HTTPS_KEY_FILE: .*stranger\.key is not the key of .*good\.crt$/,
    ],
    [
      'another address',
      () => settingsOf('elsewhere'),
      /^BOOTS_HTTPS_CERT_FILE: .*is not for the address 127\.0\.0\.1 but for IP Address:192\.0\.2\.1$/,
    ],
    [
      'one of several addresses missing',
      () => ({ ...settingsOf('good'), BOOTS_FURTHER_IPS: '127.0.0.3' }),
      /^BOOTS_HTTPS_CERT_FILE: .*is not for the address 127\.0\.0\.3 but for IP Address:127\.0\.0\.1$/,
    ],
  ])('does not start with %s', async (_, settings, message) => {
    await expect(start(typeof settings === 'function' ? settings() : settings)).rejects.toThrow(message);
  });

  it('does not start with a certificate that is over', async () => {
    const later = () => new Date(Date.now() + 3 * 86_400_000);
    await expect(startBench({ settings: settingsOf('good'), clock: later })).rejects.toThrow(/good\.crt ended on /);
  });

  it('warns of a key that much firmware does not know', async () => {
    const said: string[] = [];
    const log = {
      debug: () => undefined,
      info: () => undefined,
      error: () => undefined,
      warn: (t: string) => said.push(t),
    };
    bench = await startBench({ settings: settingsOf('curve'), log });
    expect(said).toEqual([expect.stringMatching(/curve\.crt is ec: much firmware knows RSA only$/)]);
    expect(await curl(bench, 'curve', '/healthz')).toContain('ok');
  });
});
