import { once } from 'node:events';
import { copyFile, mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { ensurePki } from '@tinkerbell/identity';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startRealServer, type RealServer } from './testing/real-server';
import { TinkProcess } from './testing/tink-process';

let real: RealServer;
beforeAll(async () => {
  real = await startRealServer();
  const hardware = { id, network: { interfaces: [{ dhcp: { mac: '08:00:27:00:00:01', hostname: 'node-1' } }] } };
  expect((await real.tink.run(['hardware', 'push'], { input: JSON.stringify(hardware) })).err).toBe('');
});
afterAll(() => real?.close());

const id = '0eba0bf8-3772-4b4a-ab9f-6ebe93b90a94';

describe('tink in a shell', () => {
  it('is completed by bash with what the server knows', async () => {
    const press = async (line: string) => {
      const script = `source <(tink completion bash); COMP_LINE='${line}' COMP_POINT=${line.length}; _tink`;
      return (await real.bash(`${script}; printf '%s\\n' "\${COMPREPLY[@]}"`)).out;
    };
    await writeFile(join(real.dir, 'install.yaml'), '');
    expect(await press('tink hardware get ')).toBe(`${id}\n`);
    expect(await press('tink hardware mac 08:00:2')).toBe('27:00:00:01\n');
    expect(await press('tink events --machine=no')).toBe('node-1\n');
    expect(await press('tink work')).toBe('workflow\nworker\n');
    expect(await press('tink template create --path inst')).toBe('install.yaml\n');
  });

  it('stops quietly when its reader has seen enough', async () => {
    for (let n = 0; n < 20; n++) {
      const hardware = { id, metadata: { n, filler: 'x'.repeat(20_000) }, network: { interfaces: [] } };
      await real.tink.run(['hardware', 'push'], { input: JSON.stringify(hardware) });
    }
    const piped = await real.bash('set -o pipefail; tink events --from all -o json | head -n 1');
    expect(piped).toMatchObject({ code: 0, err: '' });
    expect(JSON.parse(piped.out)).toMatchObject({ position: 1 });
  });
});

describe('a connection that cannot be trusted', () => {
  const list = (env: Readonly<Record<string, string>>, ...args: readonly string[]) =>
    real.tink.run(['lease', 'list', ...args], { env });

  it.each<[string, Readonly<Record<string, string>>, RegExp]>([
    [
      'no CA is known',
      { TINK_CONFIG: 'bare.json' },
      /certificate of \S+ is not trusted \((SELF_SIGNED|UNABLE)\w+\)\nGive the CA's certificate with --ca FILE/,
    ],
    ['the CA is another', { TINK_CA: 'other.pem' }, /is not trusted .*\nother\.pem is not the CA of this server\./],
    [
      'the password is wrong',
      { TINK_AUTH_PASSWORD: 'guess' },
      /user name or password is wrong[^]*--user and --password/,
    ],
    [
      'the server does not speak TLS',
      { TINK_SERVER: 'plain-as-tls', TINK_CA: '.tinkerbell/ca.pem' },
      /does not speak TLS\nIs it http:/,
    ],
    ['the server speaks only TLS', { TINK_SERVER: 'tls-as-plain' }, /broke off the connection|does not speak HTTP/],
    ['the name is unknown', { TINK_SERVER: 'https://tink.invalid:1' }, /the name tink\.invalid is unknown/],
  ])('exits with 3 when %s', async (_, env, message) => {
    const servers: Record<string, string> = {
      'plain-as-tls': `https://127.0.0.1:${real.harness.server.http.port}`,
      'tls-as-plain': real.url.replace('https', 'http'),
    };
    const other = await ensurePki(join(real.dir, 'other'), { ips: ['127.0.0.1'], names: ['localhost'] });
    await writeFile(join(real.dir, 'other.pem'), other.ca);
    await writeFile(join(real.dir, 'bare.json'), JSON.stringify({ server: real.url }));
    const { TINK_SERVER: named = '' } = env;
    const ran = await list({ ...env, ...(named === '' ? {} : { TINK_SERVER: servers[named] ?? named }) });
    expect(ran).toMatchObject({ code: 3, out: '' });
    expect(ran.err).toMatch(message);
  });

  it('does not give the credentials of its file to another server', async () => {
    const ran = await list({}, '--server', `http://127.0.0.1:${real.harness.server.http.port}`);
    expect(ran.code).toBe(3);
    expect(ran.err).toContain('they are not sent to another server');
    expect(
      (
        await list(
          {},
          '--server',
          `http://127.0.0.1:${real.harness.server.http.port}`,
          '--user',
          'admin',
          '--password',
          'pass',
        )
      ).code,
    ).toBe(0);
  });
});

describe('tink up', () => {
  it('starts the provisioner beside it and passes arguments, signals and the exit code on', async () => {
    const apps = join(real.dir, 'apps');
    await mkdir(join(apps, 'tink-cli'), { recursive: true });
    await mkdir(join(apps, 'tinkerbell'));
    await copyFile(real.tink.bundle, join(apps, 'tink-cli', 'main.js'));
    const near = new TinkProcess(join(apps, 'tink-cli', 'main.js'), real.dir);
    const program = `process.on('SIGTERM', () => process.exit(7));
console.log(JSON.stringify(process.argv.slice(2)));
setInterval(() => undefined, 1000);`;
    await writeFile(join(apps, 'tinkerbell', 'main.js'), program);
    const child = near.start(['up', '--ip', '192.0.2.1', '--help'], {});
    const [first] = (await once(child.stdout ?? child, 'data')) as [Buffer];
    expect(JSON.parse(first.toString())).toEqual(['up', '--ip', '192.0.2.1', '--help']);
    child.kill('SIGTERM');
    expect(await once(child, 'close')).toEqual([7, null]);
    await rm(join(apps, 'tinkerbell', 'main.js'));
    const missing = await near.run(['up']);
    expect(missing.code).toBe(1);
    expect(missing.err).toContain('the provisioner is not built');
    await near.close();
  });
});
