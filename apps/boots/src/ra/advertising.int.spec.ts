import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { silentLogger } from '../logger';
import { Advertising } from './advertising';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'boots-advertising-'));
});
afterEach(() => rm(folder, { recursive: true }));

it('a program that ends again and again is started later each time', { timeout: 30_000 }, async () => {
  const program = join(folder, 'radvd');
  await writeFile(program, '#!/bin/sh\necho started >&2\nexit 3\n');
  await chmod(program, 0o755);
  const errors: string[] = [];
  const log = { ...silentLogger, error: (text: string) => void errors.push(text) };
  const link = { interface: 'eth0', subnets: [] };
  const advertising = new Advertising([], () => ({ links: [link], missing: [] }), program, log);
  await advertising.open();
  await expect.poll(() => errors.length, { timeout: 20_000 }).toBeGreaterThan(1);
  await advertising.close();
  expect(errors.slice(0, 2).map((text) => text.replace(/\s+/g, ' '))).toEqual([
    'radvd on eth0 ended with code 3: started; started again in 1 s',
    'radvd on eth0 ended with code 3: started; started again in 2 s',
  ]);
});
