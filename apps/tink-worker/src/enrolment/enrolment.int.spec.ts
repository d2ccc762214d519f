import { existsSync, mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { createServer as createHttpServer, type Server } from 'node:http';
import { createServer as createHttpsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { loadConfig } from '@tinkerbell/config';
import { ensurePki, type Pki } from '@tinkerbell/identity';
import type { EnrolReply, EnrolRequest } from '@tinkerbell/messaging';
import { quickPace, SilentLog } from '../testing/life';
import { startTinkWorker } from '../start';
import { TinkWorkerConfig } from '../worker.config';
import {
  CaMismatchError,
  Enrolment,
  EnrolmentImpossibleError,
  pinned,
  TokenExpiredError,
  type EnrolmentOptions,
} from './enrolment';

const workerId = '0eba0bf8-3772-4b4a-ab9f-6ebe93b90a94';
let pkiDir: string;
let pki: Pki;
let strange: Pki;
beforeAll(async () => {
  pkiDir = mkdtempSync(join(tmpdir(), 'tink-pki-'));
  const names = { ips: ['127.0.0.1'], names: ['localhost'] };
  [pki, strange] = await Promise.all([ensurePki(join(pkiDir, 'a'), names), ensurePki(join(pkiDir, 'b'), names)]);
  return () => rmSync(pkiDir, { recursive: true });
});

let dir: string;
let servers: Server[];
let requests: EnrolRequest[];
let answer: (request: EnrolRequest) => { status: number; body: unknown } | 'hang up';
let abort: AbortController;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'tink-enrol-'));
  servers = [];
  requests = [];
  abort = new AbortController();
  answer = () => ({ status: 200, body: reply() });
});
afterEach(() => {
  abort.abort();
  servers.forEach((server) => server.close());
  rmSync(dir, { recursive: true, force: true });
});

const reply = (more: Partial<EnrolReply> = {}): EnrolReply => ({
  workerId,
  jwt: 'a.b.c',
  natsUrl: 'tls://127.0.0.1:4222',
  ca: pki.ca,
  expiresAt: new Date(Date.now() + 3_600_000).toISOString(),
  registry: { address: '127.0.0.1:5000', username: 'u', password: 'p' },
  ...more,
});

async function listen(server: Server): Promise<string> {
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return `127.0.0.1:${(server.address() as AddressInfo).port}`;
}

/** The certificate over HTTP and `/v1/enrol` over HTTPS, as tink-server has them. */
async function installation(served: Pki = pki, tls: Pki = pki): Promise<{ serverUrl: string; certUrl: string }> {
  const cert = await listen(createHttpServer((_, response) => void response.end(served.cert + served.ca)));
  const api = createHttpsServer({ cert: tls.cert, key: tls.key }, (request, response) => {
    let text = '';
    request.on('data', (chunk: Buffer) => (text += chunk.toString()));
    request.on('end', () => {
      const asked = JSON.parse(text) as EnrolRequest;
      requests.push(asked);
      const said = request.url === '/v1/enrol' ? answer(asked) : { status: 404, body: {} };
      if (said === 'hang up') return void request.socket.destroy();
      response.statusCode = said.status;
      response.end(typeof said.body === 'string' ? said.body : JSON.stringify(said.body));
    });
  });
  return { serverUrl: `https://${await listen(api)}`, certUrl: `http://${cert}/cert` };
}

function enrolment(urls: { serverUrl: string; certUrl: string }, more: Partial<EnrolmentOptions> = {}) {
  const log = new SilentLog();
  const options: EnrolmentOptions = {
    workerId,
    mac: '52:54:00:99:00:01',
    token: 'one-time',
    ...urls,
    caSha256: pki.caSha256,
    credentialsFile: join(dir, 'credentials.json'),
    dockerCertsDirectory: join(dir, 'certs.d'),
    mayBootAgain: false,
    pace: { ...quickPace, requestMs: 60_000 },
    ...more,
  };
  return { log, enrolment: new Enrolment(options, log) };
}

/** Resolves when the log says it. */
async function told(log: SilentLog, text: RegExp): Promise<string> {
  for (;;) {
    const line = log.lines.find((candidate) => text.test(candidate));
    if (line) return line;
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

describe('enrolment', () => {
  it('trades the token for a credential and keeps it to itself', async () => {
    const urls = await installation();
    const credentials = await enrolment(urls).enrolment.credentials(abort.signal);
    expect(requests).toEqual([
      { workerId, mac: '52:54:00:99:00:01', token: 'one-time', publicKey: credentials.publicKey },
    ]);
    expect(credentials.publicKey).toMatch(/^U[A-Z2-7]{55}$/);
    expect(credentials.seed).toMatch(/^SU/);
    expect(JSON.stringify(requests)).not.toContain(credentials.seed);
    const file = join(dir, 'credentials.json');
    expect(statSync(file).mode & 0o777).toBe(0o600);
    expect(JSON.parse(readFileSync(file, 'utf8'))).toMatchObject({ jwt: 'a.b.c', seed: credentials.seed });
    expect(readFileSync(join(dir, 'certs.d', '127.0.0.1:5000', 'ca.crt'), 'utf8')).toBe(pki.ca);
    // A restart needs neither token nor server.
    const none = { serverUrl: '', certUrl: '', token: '' };
    expect(await enrolment(none, none).enrolment.credentials(abort.signal)).toEqual(credentials);
    expect(requests).toHaveLength(1);
  });

  it('asks again with the same key when the answer is lost, also after a restart', async () => {
    const urls = await installation();
    answer = () => 'hang up';
    const first = enrolment(urls);
    const interrupted = new AbortController();
    const failing = first.enrolment.credentials(interrupted.signal);
    await told(first.log, /enrolment failed/);
    interrupted.abort();
    await expect(failing).rejects.toThrow();
    answer = () => ({ status: 200, body: reply() });
    await enrolment(urls).enrolment.credentials(abort.signal);
    expect(requests.length).toBeGreaterThan(1);
    expect(new Set(requests.map(({ publicKey }) => publicKey)).size).toBe(1);
  });

  it('refuses an installation whose certificate was not pinned, and tells nobody the token', async () => {
    const { log, enrolment: one } = enrolment(await installation(strange, strange));
    one.credentials(abort.signal).catch(() => undefined);
    const line = await told(log, /refusing/);
    expect(line).toContain(`TINK_CA_SHA256 is ${pki.caSha256}`);
    expect(line).toContain(strange.caSha256);
    expect(requests).toEqual([]);
  });

  it('refuses a server that only shows the pinned certificate and has another', async () => {
    const { log, enrolment: one } = enrolment(await installation(pki, strange));
    one.credentials(abort.signal).catch(() => undefined);
    await told(log, /certificate/);
    expect(requests).toEqual([]);
  });

  it('goes on trying through refusals and broken answers', async () => {
    const broken: ReturnType<typeof answer>[] = [
      { status: 403, body: { error: { code: 'FORBIDDEN', message: 'the token has expired' } } },
      { status: 200, body: 'no json' },
      { status: 200, body: { ...reply(), jwt: undefined } },
      { status: 200, body: reply({ workerId: 'another' }) },
      { status: 200, body: reply({ expiresAt: 'soon' }) },
      { status: 502, body: '<html>' },
    ];
    answer = () => broken.shift() ?? { status: 200, body: reply() };
    const { log, enrolment: one } = enrolment(await installation());
    await one.credentials(abort.signal);
    expect(requests).toHaveLength(7);
    expect(log.lines[0]).toContain('answered 403: the token has expired');
  });

  describe('with an expired token', () => {
    const expired = (bootAgainSeconds: number) => ({
      status: 403,
      body: { error: { code: 'TOKEN_EXPIRED', message: 'the token expired', bootAgainSeconds } },
    });
    it('gives up when it is time to boot anew', async () => {
      answer = () => expired(0);
      const { log, enrolment: one } = enrolment(await installation(), { mayBootAgain: true });
      await expect(one.credentials(abort.signal)).rejects.toThrow(TokenExpiredError);
      expect(log.lines[0]).toBe('the token expired; boots anew in 0 s');
    });
    it.each([
      ['before that', true, 3600],
      ['where it may not boot anew', false, 0],
    ])('goes on trying %s', async (_, mayBootAgain, seconds) => {
      const answers = Array.from({ length: 5 }, () => expired(seconds));
      answer = () => answers.shift() ?? { status: 200, body: reply() };
      const { log, enrolment: one } = enrolment(await installation(), { mayBootAgain });
      expect(await one.credentials(abort.signal)).toMatchObject({ jwt: 'a.b.c' });
      expect(log.lines.filter((line) => line.includes('boots anew'))).toHaveLength(mayBootAgain ? 1 : 0);
    });
    it('the worker boots its machine anew', async () => {
      answer = () => expired(0);
      const { serverUrl, certUrl } = await installation();
      const rebooted = join(dir, 'rebooted');
      const config = loadConfig(TinkWorkerConfig, {
        ...{ WORKER_ID: workerId, HW_ADDR: '52:54:00:99:00:01', TINK_TOKEN: 'one-time', TINK_STATE_DIR: dir },
        ...{ TINK_SERVER_URL: serverUrl, TINK_CERT_URL: certUrl, TINK_CA_SHA256: pki.caSha256 },
        TINK_REBOOT_COMMAND: `echo > '${rebooted}'`,
      });
      const log = new SilentLog();
      const worker = await startTinkWorker(config, { log, pace: { ...quickPace, requestMs: 60_000 } });
      await expect.poll(() => existsSync(rebooted)).toBe(true);
      expect(log.lines).toContain(`rebooting: echo > '${rebooted}'`);
      await worker.close();
    });
  });

  it('says what is missing when it cannot enrol', async () => {
    const { enrolment: one } = enrolment({ serverUrl: '', certUrl: '' }, { token: '' });
    await expect(one.credentials(abort.signal)).rejects.toThrow(EnrolmentImpossibleError);
    await expect(one.credentials(abort.signal)).rejects.toThrow(/TINK_TOKEN, TINK_SERVER_URL, TINK_CERT_URL not set/);
  });

  it('enrols anew with the same key when the credential has expired', async () => {
    const urls = await installation();
    answer = () => ({ status: 200, body: reply({ expiresAt: '2020-01-01T00:00:00Z' }) });
    await enrolment(urls).enrolment.credentials(abort.signal);
    answer = () => ({ status: 200, body: reply() });
    const { log, enrolment: second } = enrolment(urls);
    await second.credentials(abort.signal);
    expect(log.lines).toEqual([expect.stringContaining('expired at 2020-01-01T00:00:00Z'), 'credential renewed']);
    expect(new Set(requests.map(({ publicKey }) => publicKey)).size).toBe(1);
  });
});

describe('pinning', () => {
  it('takes the one certificate that has the digest', () => {
    expect(pinned(pki.cert + pki.ca, pki.caSha256.toUpperCase(), 'x').trim()).toBe(pki.ca.trim());
    const damaged = '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n';
    expect(pinned(damaged + pki.ca, pki.caSha256, 'x').trim()).toBe(pki.ca.trim());
    expect(() => pinned('', pki.caSha256, 'http://x/cert')).toThrow(CaMismatchError);
    expect(() => pinned(damaged, pki.caSha256, 'http://x/cert')).toThrow('refusing http://x/cert: it holds a damaged');
  });
});
