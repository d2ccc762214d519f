#!/usr/bin/env node
// Builds the disk images of the examples: GPT, BIOS (syslinux) and UEFI (GRUB), ext4 root. No loop device, no mount.
//   node infra/images/build.mjs [--image small|debian] [--force]
// Result: .cache/images/<image>.raw.zst and <image>.json with its digest. The small image: same inputs, same bytes.
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { mkdir, mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { run, SetupError } from '../setup/shell.mjs';
import { debianInputs, buildDebianRoot } from './debian.mjs';
import { writeDisk } from './disk.mjs';
import { buildSmallRoot, smallInputs } from './small.mjs';
import { sha256 } from './tools/tree.mjs';

const here = dirname(fileURLToPath(import.meta.url));
process.chdir(resolve(here, '../..'));
const note = (text) => console.log(`images: ${text}`);

/** Each: what decides about its bytes, and how to make { root folder, kernel, initrd, command line, sizes }. */
const images = {
  small: { inputs: smallInputs, build: buildSmallRoot, compression: '-19' },
  debian: { inputs: debianInputs, build: buildDebianRoot, compression: '-3' },
};

async function main() {
  const { values } = parseArgs({
    options: {
      image: { type: 'string', default: 'small' },
      out: { type: 'string', default: '.cache/images' },
      force: { type: 'boolean', default: false },
    },
  });
  const { image, out } = values;
  if (!(image in images)) throw new SetupError(`--image ${image}: use ${Object.keys(images).join(' or ')}`);
  const { inputs, build, compression } = images[image];
  const wanted = { image, scripts: scriptsDigest(), ...(await inputs(note)) };
  const digest = sha256(JSON.stringify(wanted));
  const [file, facts] = [join(out, `${image}.raw.zst`), join(out, `${image}.json`)];
  if (
    !values.force &&
    existsSync(file) &&
    existsSync(facts) &&
    JSON.parse(readFileSync(facts, 'utf8')).inputs === digest
  ) {
    note(`found ${file}`);
    return;
  }
  const began = Date.now();
  await mkdir(out, { recursive: true });
  const work = await mkdtemp(join(out, 'work-'));
  try {
    const raw = join(work, 'disk.raw');
    const parts = await build(wanted, work, note);
    await writeDisk(raw, work, parts);
    await run('zstd', ['-q', compression, '-T1', '-f', raw, '-o', join(work, 'disk.zst')]);
    const packed = readFileSync(join(work, 'disk.zst'));
    await rename(join(work, 'disk.zst'), file);
    await writeFile(
      facts,
      `${JSON.stringify({ image, inputs: digest, bytes: packed.length, sha256: sha256(packed) }, null, 2)}\n`,
    );
    note(`built ${file}: ${(packed.length / 1e6).toFixed(1)} MB (${((Date.now() - began) / 1000).toFixed(1)} s)`);
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}

function scriptsDigest() {
  const files = [
    'build.mjs',
    'disk.mjs',
    'small.mjs',
    'debian.mjs',
    ...['small', 'debian'].flatMap((folder) => list(folder)),
  ];
  return sha256(files.map((name) => `${name} ${sha256(readFileSync(join(here, name)))}`).join());
}

const list = (folder) =>
  readdirSync(join(here, folder))
    .sort()
    .map((name) => join(folder, name));

await main().catch((error) => {
  if (!(error instanceof SetupError)) throw error;
  console.error(`images: ${error.message}`);
  process.exitCode = 1;
});
