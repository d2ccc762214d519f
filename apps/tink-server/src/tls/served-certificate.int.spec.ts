import { mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { connect, type TLSSocket } from 'node:tls';
import { ensurePki, type Pki } from '@tinkerbell/identity';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Harness } from '../testing/harness';
import { pairOf, ServedCertificate, type TlsPair } from './served-certificate';

const renewedNames = { ips: ['127.0.0.1'], names: ['localhost', 'renewed.test'] };

function opened(port: number, ca: string): Promise<TLSSocket> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host: '127.0.0.1', port, ca, ALPNProtocols: ['h2', 'http/1.1'] }, () => resolve(socket));
    socket.once('error', reject);
  });
}

async function namesShown(port: number, ca: string): Promise<string> {
  const socket = await opened(port, ca);
  const { subjectaltname = '' } = socket.getPeerCertificate();
  socket.destroy();
  return subjectaltname;
}

describe('a certificate that is renewed while tink-server runs', () => {
  let harness: Harness;
  beforeAll(async () => {
    harness = await Harness.start();
  });
  afterAll(() => harness?.close());

  it('is shown by HTTPS and gRPC, and connections that were open before stay', async () => {
    const { server, ca, nats } = harness;
    const ports = [server.https.port, server.grpc.port];
    const shown = () => Promise.all(ports.map((port) => namesShown(port, ca)));
    for (const names of await shown()) expect(names).not.toContain('renewed.test');
    const before = await Promise.all(ports.map((port) => opened(port, ca)));
    const { renewed } = await ensurePki(dirname(nats.pki?.files.cert ?? ''), renewedNames);
    expect(renewed).toBe(true);
    await expect.poll(shown).toEqual(ports.map(() => expect.stringContaining('DNS:renewed.test') as string));
    expect(before.map(({ destroyed, readyState }) => [destroyed, readyState])).toEqual(
      ports.map(() => [false, 'open']),
    );
    for (const socket of before) socket.destroy();
    expect((await harness.https().get('/healthz')).status).toBe(200);
  });
});

describe('files that are not a good pair', () => {
  let folder: string;
  let pki: Pki;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'served-certificate-'));
    pki = await ensurePki(join(folder, 'pki'), { ips: ['127.0.0.1'], names: [] });
  });
  afterAll(() => rm(folder, { recursive: true, force: true }));

  it('change nothing, are told once, and good ones are taken then', async () => {
    const lines: string[] = [];
    const shown: TlsPair[] = [];
    const log = (line: string) => void lines.push(line);
    const files = { read: pairOf(pki.files), everyMs: 5 };
    const certificate = new ServedCertificate(pki, files, { log, warn: log });
    certificate.onRenewed((pair) => void shown.push(pair));
    certificate.watch();
    const other = await ensurePki(join(folder, 'other'), { ips: ['127.0.0.1'], names: [] });
    await rename(other.files.cert, pki.files.cert);
    await expect.poll(() => lines).toHaveLength(1);
    await rm(pki.files.cert);
    await expect.poll(() => lines).toHaveLength(2);
    await writeFile(pki.files.cert, '');
    await expect.poll(() => lines).toHaveLength(3);
    expect([certificate.current.cert, shown]).toEqual([pki.cert, []]);
    const renewed = await ensurePki(join(folder, 'pki'), renewedNames);
    await expect.poll(() => certificate.current.cert).toBe(renewed.cert);
    await certificate.close();
    expect(shown.map(({ cert }) => cert)).toEqual([renewed.cert]);
    const [wrong, gone, empty] = lines;
    expect(wrong).toBe('certificate not renewed, the one before stays: the key is not that of the certificate');
    expect(gone).toContain('no such file');
    expect(empty).toContain('the file of the certificate has none in PEM');
  });
});
