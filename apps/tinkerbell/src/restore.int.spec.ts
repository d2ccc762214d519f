import { once } from 'node:events';
import { cp, readdir, readFile, writeFile } from 'node:fs/promises';
import { request } from 'node:https';
import { join } from 'node:path';
import { gunzipSync, gzipSync } from 'node:zlib';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { ensureNatsIdentity, ensureSecretsKey } from '@tinkerbell/identity';
import { NatsBus, NatsSecretBucket, secretsBucket } from '@tinkerbell/messaging';
import { startNatsServer } from '@tinkerbell/nats';
import { unseal } from '@tinkerbell/tink-server';
import { ProvisionerProcesses } from './testing/provisioner-processes';
import type { Restored } from './restore';
import type { Addresses } from './up';

const mac = '08:00:27:00:00:01';
const hardware = JSON.stringify({
  id: '0eba0bf8-3772-4b4a-ab9f-6ebe93b90a94',
  network: {
    interfaces: [
      {
        dhcp: { mac, hostname: 'node-1', ip: { address: '192.168.1.5', netmask: '255.255.255.0' } },
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

const secretValue = 'corr€ct horse battery';

interface Verified {
  readonly ok: boolean;
  readonly commits: number;
  readonly covered: number;
  readonly hash: string;
}

let lab: ProvisionerProcesses;
let workflowId = '';
let backup = '';
let verified: Verified;
const at = (name: string) => join(lab.dir, name);
const verify = async (addresses: Addresses, ...args: readonly string[]) =>
  JSON.parse(await lab.tink(addresses, 'audit', 'verify', '-o', 'json', ...args)) as Verified;
/** The values in a data folder's bucket, opened with the key of another one. */
async function secretsIn(folder: string, keyOf: string): Promise<readonly string[]> {
  const identity = await ensureNatsIdentity(join(folder, 'identity'));
  const key = await ensureSecretsKey(join(keyOf, 'identity'));
  const nats = await startNatsServer({
    ...{ dataDir: join(folder, 'nats'), host: '127.0.0.1', port: 0, identity, restart: false },
  });
  const bus = await NatsBus.connect({ servers: nats.url, creds: identity.engineCreds, name: 'test' });
  try {
    const bucket = new NatsSecretBucket(bus.connection, secretsBucket);
    const values = [];
    for (const stored of await bucket.keys()) {
      const [name = '', entry = ''] = stored.split('.');
      values.push(unseal(key, name, entry, (await bucket.get(stored)) ?? new Uint8Array()));
    }
    return values;
  } finally {
    await bus.close();
    await nats.stop();
  }
}
const rowsOf = (addresses: Addresses) =>
  Promise.all(['hardware', 'template', 'workflow'].map((what) => lab.tink(addresses, what, 'get', '-o', 'json')));
/** Up to a position of the log. */
const eventsOf = async (addresses: Addresses, last: number) => {
  const lines = (await lab.tink(addresses, 'events', '--from', 'all', '-o', 'json')).trimEnd().split('\n');
  return lines.filter((line) => (JSON.parse(line) as { readonly position: number }).position <= last);
};

/** `PUT /api/workflows/:id/data`, which workers and scripts use. */
async function putData({ server, cliConfig }: Addresses, id: string, text: string): Promise<void> {
  const { ca, username, password } = JSON.parse(await readFile(cliConfig, 'utf8')) as Record<string, string>;
  const sent = request(`${server}/api/workflows/${id}/data`, {
    method: 'PUT',
    ca: await readFile(ca ?? ''),
    auth: `${username}:${password}`,
    headers: { 'content-type': 'application/json' },
  });
  sent.end(text);
  const [response] = (await once(sent, 'response')) as [{ statusCode: number; resume(): void }];
  response.resume();
  expect(response.statusCode).toBe(200);
}

let before: Addresses;
let rows: readonly string[];
let events: readonly string[];
beforeAll(async () => {
  lab = await ProvisionerProcesses.prepare();
  await writeFile(at('machine.json'), hardware);
  await writeFile(at('install.yaml'), template);
  const first = lab.start([], { TINK_AUDIT_COMMITS: '2' });
  before = await first.ready();
  await lab.tink(before, 'hardware', 'push', '--file', at('machine.json'));
  await lab.tink(before, 'template', 'create', '--name', 'install', '--path', at('install.yaml'));
  const created = await lab.tink(
    before,
    'workflow',
    'create',
    '-t',
    'install',
    '-r',
    JSON.stringify({ device_1: mac }),
  );
  workflowId = /[0-9a-f-]{36}/.exec(created)?.[0] ?? '';
  await writeFile(at('password.txt'), secretValue);
  await lab.tink(before, 'secret', 'set', 'db-password', '--value-file', at('password.txt'));
  await putData(before, workflowId, '{"disk":"/dev/vda"}');
  // Killed and started again: what was signed and what was remembered go on together.
  first.process.kill('SIGKILL');
  await first.ended;
  const second = lab.start([], { TINK_AUDIT_COMMITS: '2' });
  before = await second.ready();
  await lab.tink(before, 'template', 'update', 'install', '--path', at('install.yaml'));
  await writeFile(at('site.pem'), await lab.tink(before, 'audit', 'key'));
  backup = at('backup.jsonl.gz');
  await lab.tink(before, 'backup', '--file', backup);
  await lab.tink(before, 'backup', '--file', at('with-secrets.jsonl.gz'), '--with-secrets');
  verified = await verify(before);
  [rows, events] = [await rowsOf(before), await eventsOf(before, Infinity)];
  second.process.kill('SIGTERM');
  await second.ended;
}, 180_000);
afterEach(() => lab.killAll());
afterAll(async () => {
  await lab.killAll();
  await lab.remove();
});

describe('tink restore', () => {
  it('makes a provisioner that knows everything that the old one knew', async () => {
    expect(verified.ok).toBe(true);
    const args = ['--file', backup, '--data', at('restored'), '--key', at('site.pem'), '-o', 'json'];
    const ran = await lab.runTink('restore', ...args);
    expect(ran).toMatchObject({ code: 0 });
    const restored = JSON.parse(ran.out) as Restored;
    expect(restored).toMatchObject({ bodies: 1, formerKeys: 1, data: at('restored') });
    expect(restored.commits).toBeGreaterThanOrEqual(5);
    expect((await readdir(at('restored'))).sort()).toEqual(['identity', 'nats']);

    const started = lab.start(['--data', at('restored')]);
    const after = await started.ready();
    expect(await rowsOf(after)).toEqual(rows);
    // Both sites wrote on after the backup.
    const kept = await eventsOf(after, restored.commits);
    expect(kept.length).toBeGreaterThanOrEqual(5);
    expect(kept).toEqual(events.slice(0, kept.length));
    expect(await lab.tink(after, 'workflow', 'data', workflowId)).toContain('/dev/vda');

    await lab.tink(after, 'template', 'update', 'install', '--name', 'renamed');
    expect(await verify(after)).toMatchObject({ ok: true });
    const keys = await lab.tink(after, 'audit', 'key');
    expect(keys.match(/BEGIN PUBLIC KEY/g)).toHaveLength(2);
    expect(keys).toContain((await readFile(at('site.pem'), 'utf8')).trim());
    started.process.kill('SIGTERM');
    expect(await started.ended).toEqual({ code: 0, signal: null });

    const again = await lab.runTink('restore', '--file', backup, '--data', at('restored'));
    expect(again.code).toBe(1);
    expect(again.err).toMatch(/^cannot restore: .*restored has a log already/m);
  });

  it('goes on with the keys of the old site where they were kept', async () => {
    await cp(at('data/identity'), at('kept/identity'), { recursive: true });
    const ran = await lab.runTink('restore', '--file', backup, '--data', at('kept'));
    expect(ran).toMatchObject({ code: 0 });
    expect(ran.out).toContain('the folder has the keys of that site');
  });

  it('brings back the sealed values of secrets when the backup has them, for the key that sealed them', async () => {
    expect(gunzipSync(await readFile(backup)).toString()).not.toContain('"sealed":');
    const file = at('with-secrets.jsonl.gz');
    expect(gunzipSync(await readFile(file)).toString()).not.toContain(secretValue);
    const ran = await lab.runTink('restore', '--file', file, '--data', at('secrets'));
    expect(ran).toMatchObject({ code: 0 });
    expect(ran.out).toContain('1 sealed value of a secret: only the old identity/secrets.key opens it');
    expect(await secretsIn(at('secrets'), at('data'))).toEqual([secretValue]);
    await expect(secretsIn(at('secrets'), at('restored'))).rejects.toThrow('sealed with another key');
  });

  it('refuses a backup that was changed, and leaves no log', async () => {
    const text = gunzipSync(await readFile(backup)).toString();
    expect(text).toContain('192.168.1.5');
    await writeFile(at('changed.gz'), gzipSync(text.replace('192.168.1.5', '192.168.1.6')));
    const ran = await lab.runTink('restore', '--file', at('changed.gz'), '--data', at('changed'));
    expect(ran.code).toBe(1);
    expect(ran.err).toMatch(/^cannot restore: .*changed\.gz is not what was written, nothing was restored:\n/);
    expect(ran.err).toMatch(/\n {2}\d+ altered: tink\.ev\.default\.\w+\..*not what was exported\n/);
    await writeFile(at('cut.gz'), (await readFile(backup)).subarray(0, 1000));
    const cut = await lab.runTink('restore', '--file', at('cut.gz'), '--data', at('changed'));
    expect(cut.code).toBe(1);
    expect(cut.err).toMatch(/ cut: .*without its last line\n/);
    await expect(readdir(at('changed'))).rejects.toMatchObject({ code: 'ENOENT' });
  });

  it.each([
    [['--file', 'none', '--data', 'x'], 1, /none: no such file/],
    [['--file', 'package.json', '--data', 'x'], 1, /it is no export of a log/],
    [['--file', 'none'], 2, /--data is required/],
  ])('%j', async (args, code, message) => {
    const ran = await lab.runTink('restore', ...args);
    expect(ran.code).toBe(code);
    expect(ran.err).toMatch(message);
  });
});
