import { X509Certificate } from 'node:crypto';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { readFile, readdir, rm, writeFile } from 'node:fs/promises';
import { connect as connectPlain, createServer, type AddressInfo } from 'node:net';
import { join } from 'node:path';
import { connect } from 'node:tls';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { certificateShown } from '@tinkerbell/nats';
import { ProvisionerProcesses } from './testing/provisioner-processes';
import type { Addresses } from './up';

const mac = '08:00:27:00:00:01';
const machineIp = '192.168.1.5';
const hardware = JSON.stringify({
  id: '0eba0bf8-3772-4b4a-ab9f-6ebe93b90a94',
  metadata: { instance: { hostname: 'node-1' } },
  network: {
    interfaces: [
      {
        dhcp: { mac, hostname: 'node-1', arch: 'x86_64', ip: { address: machineIp, netmask: '255.255.255.0' } },
        netboot: { allow_pxe: true, allow_workflow: true },
      },
    ],
  },
});
const template = `version: "0.1"
name: install
global_timeout: 600
tasks:
  - name: os
    worker: "{{.device_1}}"
    actions:
      - name: greet
        image: hello-world
        timeout: 60
`;

let lab: ProvisionerProcesses;
let dir = '';
const start = (args?: readonly string[], env?: NodeJS.ProcessEnv) => lab.start(args, env);
const tink = (addresses: Addresses, ...args: readonly string[]) => lab.tink(addresses, ...args);

const rowsOf = async (addresses: Addresses) =>
  Promise.all(['hardware', 'template', 'workflow'].map((what) => tink(addresses, what, 'get', '-o', 'json')));

async function fingerprint(addresses: Addresses): Promise<string> {
  const { hostname: host, port } = new URL(addresses.server);
  const socket = connect({ host, port: Number(port), ca: await readFile(join(addresses.data, 'pki', 'ca.crt')) });
  try {
    await once(socket, 'secureConnect');
    return socket.getPeerCertificate().fingerprint256;
  } finally {
    socket.destroy();
  }
}

async function registryShows(port: number, ca: Buffer): Promise<string> {
  const socket = connect({ host: '127.0.0.1', port, ca });
  await once(socket, 'secureConnect');
  const { fingerprint256 } = socket.getPeerCertificate();
  socket.destroy();
  return fingerprint256;
}

const further = { BOOTS_FURTHER_IPS: '127.0.0.3' };

/** By HTTPS, with the authority for firmware as the only one that is trusted: the fingerprint of what is shown. */
async function firmwareSees({ https = '', data }: Addresses): Promise<string> {
  const { hostname: host, port } = new URL(https);
  const socket = connect({ host, port: Number(port), ca: await readFile(join(data, 'pki', 'boot', 'ca.crt')) });
  try {
    await once(socket, 'secureConnect');
    const answer = once(socket, 'data');
    socket.write('GET /healthz HTTP/1.1\r\nHost: boots\r\n\r\n');
    expect(String(await answer)).toMatch(/^HTTP\/1\.1 200 /);
    const { modulus, fingerprint256, subjectaltname } = socket.getPeerCertificate();
    expect(subjectaltname).toBe(`IP Address:${host}, IP Address:${further.BOOTS_FURTHER_IPS}`);
    expect(modulus).toBeDefined(); // RSA: much firmware knows nothing else
    return fingerprint256;
  } finally {
    socket.destroy();
  }
}

/** Whether somebody listens there. */
async function isOpen(host: string, port: number): Promise<boolean> {
  const socket = connectPlain({ host, port });
  return once(socket, 'connect').then(
    () => (socket.destroy(), true),
    () => false,
  );
}

/** Pid → program of what the process started. */
async function childrenOf(parent: ChildProcess): Promise<ReadonlyMap<number, string>> {
  const found = new Map<number, string>();
  for (const name of await readdir('/proc')) {
    const stat = /^\d+$/.test(name) ? await readFile(`/proc/${name}/stat`, 'utf8').catch(() => '') : '';
    const [, program = '', state, ppid] = /\((.*)\) (\S) (\d+)/s.exec(stat) ?? [];
    if (Number(ppid) === parent.pid && state !== 'Z') found.set(Number(name), program);
  }
  return found;
}

/** Resolves when none of them runs; one that has ended may wait for its collector. */
async function gone(children: ReadonlyMap<number, string>): Promise<void> {
  for (const [pid, program] of children) {
    await vi.waitFor(
      async () => {
        const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '');
        if (stat.includes(`(${program})`) && !/\) [ZX] /.test(stat)) throw new Error(`${program} ${pid} still runs`);
      },
      { timeout: 60_000 },
    );
  }
}

const programs = (children: ReadonlyMap<number, string>) => [...children.values()].sort();

beforeAll(async () => {
  lab = await ProvisionerProcesses.prepare();
  dir = lab.dir;
  await writeFile(join(dir, 'machine.json'), hardware);
  await writeFile(join(dir, 'install.yaml'), template);
});
afterEach(() => lab.killAll());
afterAll(() => lab.remove());

describe('tinkerbell up', () => {
  it('brings NATS and the registry to machines of both families, at its own addresses alone', async () => {
    const up = start(['--ip6', '::1', '--data', join(dir, 'both')], { BOOTS_DHCP6: 'false' });
    const { nats, registry, data } = await up.ready();
    const portOf = (url: string) => Number(new URL(url).port);
    const ports = [portOf(nats), portOf(`tls://${registry}`)] as const;
    for (const port of ports) {
      expect(await Promise.all(['127.0.0.1', '::1', '127.0.0.2'].map((host) => isOpen(host, port)))).toEqual([
        true,
        true,
        false,
      ]);
    }
    // The whole way, with the certificate that names this address too.
    const ca = await readFile(join(data, 'pki', 'ca.crt'));
    const socket = connect({ host: '::1', port: ports[1], ca });
    await once(socket, 'secureConnect');
    const answer = once(socket, 'data');
    socket.write('GET /v2/ HTTP/1.1\r\nHost: registry\r\n\r\n');
    expect(String(await answer)).toMatch(/^HTTP\/1\.1 401 /);
    socket.destroy();

    // One that is about to end is made anew, and shown while all goes on.
    const seen = async () => [await certificateShown(ports[0], ca), await registryShows(ports[1], ca)];
    const [old] = await seen();
    expect(await seen()).toEqual([old, old]);
    const { pid } = up.process;
    const children = await childrenOf(up.process);
    await rm(join(data, 'pki', 'server.crt'));
    await vi.waitFor(() => expect(up.said()).toMatch(/nats-server has a new[^]*registry has a new/), {
      timeout: 60_000,
    });
    const renewed = new X509Certificate(await readFile(join(data, 'pki', 'server.crt'))).fingerprint256;
    expect(renewed).not.toBe(old);
    expect(await seen()).toEqual([renewed, renewed]);
    const natsOf = (all: ReadonlyMap<number, string>) => [...all].find(([, program]) => program === 'nats-server')?.[0];
    expect([up.process.pid, natsOf(await childrenOf(up.process))]).toEqual([pid, natsOf(children)]);
  });

  it('survives a kill -9 with everything it knew, and leaves nothing running', async () => {
    const first = start(['--https-boot', '--https-port', '0'], { TRUSTED_PROXIES: '127.0.0.1', ...further });
    const before = await first.ready();
    const { version } = JSON.parse(await readFile('package.json', 'utf8')) as { readonly version: string };
    expect(await tink(before, 'version')).toMatch(new RegExp(`tink-server +${version}$`, 'm'));
    const bootCertificate = await firmwareSees(before);
    await tink(before, 'hardware', 'push', '--file', join(dir, 'machine.json'));
    await tink(before, 'template', 'create', '--name', 'install', '--path', join(dir, 'install.yaml'));
    const [{ id = '' } = {}] = JSON.parse(await tink(before, 'template', 'get', '-o', 'json')) as { id?: string }[];
    await tink(before, 'workflow', 'create', '-t', id, '-r', JSON.stringify({ device_1: mac }));
    const [rows, certificate] = [await rowsOf(before), await fingerprint(before)];
    expect(rows.map((text) => (JSON.parse(text) as unknown[]).length)).toEqual([1, 1, 1]);

    // TRUSTED_PROXIES came from the environment: hegel believes us who is asking.
    const forwarded = { headers: { 'x-forwarded-for': machineIp } };
    const metadata = await fetch(`${before.hegel}/2009-04-04/meta-data/hostname`, forwarded);
    expect([metadata.status, await metadata.text()]).toEqual([200, 'node-1']);
    // Nobody talks of every request, and no colours go into a file.
    expect(first.said()).not.toMatch(/GET \/|\[INF\]|\u001b/);

    const children = await childrenOf(first.process);
    expect(programs(children)).toEqual(['docker-registry', 'nats-server']);
    first.process.kill('SIGKILL');
    await first.ended;
    await gone(children);

    const second = start(['--debug', '--https-boot', '--https-port', '0'], further);
    const after = await second.ready();
    expect(await rowsOf(after)).toEqual(rows);
    expect(await fingerprint(after)).toBe(certificate);
    expect(await firmwareSees(after)).toBe(bootCertificate);
    expect((await fetch(`${after.hegel}/2009-04-04/meta-data/hostname`, forwarded)).status).not.toBe(200);
    await tink(after, 'hardware', 'push', '--file', join(dir, 'machine.json'));
    expect(second.said()).toMatch(/GET \/api\/hardware/);

    const orderly = await childrenOf(second.process);
    expect(programs(orderly)).toEqual(['docker-registry', 'nats-server']);
    second.process.kill('SIGTERM');
    expect(await second.ended).toEqual({ code: 0, signal: null });
    await gone(orderly);
  });

  it('logs in one form, and says nothing of its own parts when Ctrl-C ends it', async () => {
    const running = start();
    await running.ready();
    const before = running.said();
    // As a terminal does: to all of the process group.
    process.kill(-Number(running.process.pid), 'SIGINT');
    expect(await running.ended).toEqual({ code: 0, signal: null });
    expect(running.said().slice(before.length)).not.toMatch(/registry|nats-server|ended/);
    const lines = running.said().trimEnd().split('\n');
    const others = lines.filter((line) => !/^\d{4}-\d\d-\d\dT[\d:.]+Z (?:info|warn) [\w-]+: /.test(line));
    expect(others).toEqual([expect.stringMatching(/^\{"ready":true/)]);
    expect(lines.filter((line) => / tink-server: gRPC /.test(line))).toHaveLength(1);
  });

  it('says who has the data folder', async () => {
    const first = start();
    await first.ready();
    const second = start();
    expect(await second.ended).toEqual({ code: 1, signal: null });
    expect(second.said()).toMatch(
      new RegExp(`^cannot start: .* is in use by process ${first.process.pid}\\. .*--data\\.\\n$`),
    );
    expect(await fingerprint(await first.ready())).not.toBe('');
  });

  it('runs an archive that is away beside it, which ends with it', async () => {
    const TINK_ARCHIVE_KURRENTDB_URL = 'kurrentdb://127.0.0.1:1?tls=false';
    const running = start([], { TINK_ARCHIVE_KURRENTDB_URL, ARCHIVE_HTTP_PORT: '0' });
    const addresses = await running.ready();
    await vi.waitFor(() => expect(running.said()).toMatch(/ archive: behind, trying again/), { timeout: 60_000 });
    await tink(addresses, 'hardware', 'push', '--file', join(dir, 'machine.json'));
    const children = await childrenOf(running.process);
    expect(programs(children)).toEqual(['docker-registry', 'nats-server', 'node']);
    running.process.kill('SIGKILL');
    await running.ended;
    await gone(children);
  });

  it.each([
    [
      'a missing file',
      'none.yaml',
      /^cannot start: BOOTS_DHCP_FILE: .*none\.yaml cannot be read: there is no such file/m,
    ],
    ['a wrong one', 'pools.yaml', /^cannot start: .*\n.*pools\.yaml:1:\d+: subnets\[0\]\.subnet: /m],
  ])('says what is wrong with the file of the pools: %s', async (_, name, expected) => {
    await writeFile(join(dir, 'pools.yaml'), 'subnets: [{ subnet: here, mode: off }]');
    const failed = start([], { BOOTS_DHCP_FILE: join(dir, name) });
    expect(await failed.ended).toEqual({ code: 1, signal: null });
    expect(failed.said()).toMatch(expected);
    expect(failed.said()).not.toMatch(/^ +at /m);
  });

  it('says what is wrong with the address of the archive', async () => {
    const failed = start([], { TINK_ARCHIVE_KURRENTDB_URL: 'http://x' });
    expect(await failed.ended).toEqual({ code: 1, signal: null });
    expect(failed.said()).toMatch(/^cannot start: archive: TINK_ARCHIVE_KURRENTDB_URL: Unexpected "http:\/\/"/m);
    expect(failed.said()).not.toMatch(/^ +at /m);
  });

  it.each(['nats', 'registry', 'grpc', 'server-http', 'http', 'tftp', 'hegel', 'dashboard'])(
    'says that the port of %s is taken, and by which flag to choose another',
    async (name) => {
      const close = await (name === 'tftp' ? takeUdp : takeTcp)();
      const failed = start([`--${name}-port`, String(close.port)]);
      const { code } = await failed.ended.finally(() => close.close());
      expect(code).toBe(1);
      expect(failed.said()).toMatch(new RegExp(`^cannot start: .*${close.port}.* taken.*--${name}-port`, 'm'));
      expect(failed.said()).not.toMatch(/^ +at /m);
    },
  );
});

interface Taken {
  readonly port: number;
  close(): void;
}

async function takeTcp(): Promise<Taken> {
  const server = createServer().listen(0, '0.0.0.0');
  await once(server, 'listening');
  return { port: (server.address() as AddressInfo).port, close: () => server.close() };
}

async function takeUdp(): Promise<Taken> {
  const { createSocket } = await import('node:dgram');
  const socket = createSocket('udp4').bind(0, '127.0.0.1');
  await once(socket, 'listening');
  return { port: socket.address().port, close: () => socket.close() };
}
