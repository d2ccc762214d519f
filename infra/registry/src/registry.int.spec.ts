import { execFileSync } from 'node:child_process';
import { mkdtemp, mkdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ensurePki } from '@tinkerbell/identity';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { fillRegistry } from './fill';
import { startRegistry } from './registry';

describe('registry', () => {
  let dir = '';
  beforeEach(async () => {
    dir = await mkdtemp(join(tmpdir(), 'tink-registry-'));
  });
  afterEach(() => rm(dir, { recursive: true, force: true }));

  it('takes images with its account over TLS, once, and keeps them', async () => {
    const { files } = await ensurePki(join(dir, 'pki'), { ips: ['127.0.0.1'], names: [] });
    const options = {
      dataDir: join(dir, 'data'),
      host: '127.0.0.1',
      tls: files,
      account: { username: 'worker', password: 'secret-of-the-test' },
    };
    await writeFile(join(dir, 'hello'), 'hello');
    const layout = join(dir, 'images', 'hello');
    await mkdir(join(dir, 'images'));
    execFileSync('umoci', ['init', '--layout', layout]);
    execFileSync('umoci', ['new', '--image', `${layout}:latest`]);
    execFileSync('umoci', ['insert', '--image', `${layout}:latest`, join(dir, 'hello'), '/hello']);

    const first = await startRegistry({ ...options, port: 0 });
    const { port } = first;
    const wrong = { ...options, port, account: { username: 'worker', password: 'wrong' } };
    await expect(fillRegistry(wrong, join(dir, 'images'))).rejects.toThrow(
      /pushing hello.*(authentication|unauthorized)/is,
    );
    const [pushed] = await fillRegistry({ ...options, port }, join(dir, 'images'));
    expect(pushed).toMatchObject({ name: 'hello', pushed: true });
    await first.stop();

    const again = await startRegistry({ ...options, port });
    expect(await fillRegistry({ ...options, port }, join(dir, 'images'))).toEqual([{ ...pushed, pushed: false }]);
    await again.stop();
  });

  it('says which port is taken', async () => {
    const { files } = await ensurePki(join(dir, 'pki'), { ips: ['127.0.0.1'], names: [] });
    const account = { username: 'worker', password: 'secret-of-the-test' };
    const options = { host: '127.0.0.1', tls: files, account };
    const first = await startRegistry({ ...options, dataDir: join(dir, 'a'), port: 0 });
    await expect(startRegistry({ ...options, dataDir: join(dir, 'b'), port: first.port })).rejects.toThrow(
      new RegExp(`port ${first.port} is taken`),
    );
    await first.stop();
  });
});
