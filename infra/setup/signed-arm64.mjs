#!/usr/bin/env node
// Fetches Debian's signed shim and GRUB for arm64 into .cache/signed-arm64, where boots looks for them: what few sites need, setup leaves out.
import { rm } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { lockedPackages, unpack } from './debs.mjs';
import { SetupError } from './shell.mjs';

process.chdir(resolve(dirname(fileURLToPath(import.meta.url)), '../..'));
const folder = '.cache/signed-arm64';
const note = (text) => console.log(`signed-arm64: ${text}`);

try {
  const packages = await lockedPackages('signed-arm64', ['grub-efi-arm64-signed', 'shim-signed'], note, 'arm64');
  await rm(folder, { recursive: true, force: true });
  await unpack(packages, folder);
  note(packages.map(({ name, version }) => `${name} ${version}`).join(', '));
} catch (error) {
  if (!(error instanceof SetupError)) throw error;
  console.error(`signed-arm64: ${error.message}`);
  process.exitCode = 1;
}
