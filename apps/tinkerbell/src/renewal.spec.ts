import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ensurePki } from '@tinkerbell/identity';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { Renewal } from './renewal';

const names = { ips: ['127.0.0.1'], names: [] };
const dayMs = 86_400_000;

let dir: string;
let now: Date;
let said: string[];
let shown: string[];
let isRefused: boolean;
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'renewal-'));
  now = new Date();
  [said, shown] = [[], []];
  isRefused = false;
});
afterEach(() => rm(dir, { recursive: true }));

async function start() {
  const pki = await ensurePki(dir, names, now);
  const renewal = new Renewal(
    pki,
    () => ensurePki(dir, names, now),
    (line) => said.push(line),
  );
  renewal.add({
    name: 'nats-server',
    showAgain: async () => {
      if (isRefused) throw new Error('it is away');
      shown.push(await readFile(pki.files.cert, 'utf8'));
    },
  });
  return { renewal, pki };
}

it('a certificate is made anew before it ends, and shown once', async () => {
  const { renewal, pki } = await start();
  await renewal.look();
  now = new Date(Date.parse(pki.expiresAt) - 91 * dayMs);
  await renewal.look();
  expect([said, shown]).toEqual([[], []]);
  now = new Date(Date.parse(pki.expiresAt) - 89 * dayMs);
  await renewal.look();
  await renewal.look();
  const { cert, expiresAt, renewed } = await ensurePki(dir, names, now);
  expect(renewed).toBe(false);
  expect(shown).toEqual([cert]);
  expect(cert).not.toBe(pki.cert);
  expect(said).toEqual([`nats-server has a new certificate, until ${expiresAt}`]);
});

it('who could not show it is asked again, and that is told once', async () => {
  const { renewal, pki } = await start();
  now = new Date(Date.parse(pki.expiresAt));
  isRefused = true;
  await renewal.look();
  await renewal.look();
  expect(said).toEqual(['certificate not renewed, tried again: it is away']);
  isRefused = false;
  await renewal.look();
  expect(shown).toHaveLength(1);
});
