#!/usr/bin/env node
// Builds disk images that a workflow can write to a machine.
//   node infra/images/build.mjs [--image small|debian] [--out DIR] [--force]
// Result: .cache/images/<image>.raw.zst, .raw.gz (small only) and <image>.json with their SHA-256. Same inputs, same bytes (small).
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { lockedPackages } from '../setup/debs.mjs';
import { takeFolder } from '../setup/lock.mjs';
import { run, SetupError } from '../setup/shell.mjs';
import { buildDebian, debianInputs } from './debian.mjs';
import { buildSmall, smallRoots } from './small.mjs';
import { sha256 } from './tools/tree.mjs';

const here = dirname(fileURLToPath(import.meta.url));
process.chdir(resolve(here, '../..'));
const note = (text) => console.log(`images: ${text}`);

/** name → what it depends on, how it is made (returns the raw file), how it is packed. */
const images = {
  small: {
    inputs: async () =>
      (await lockedPackages('image-small', smallRoots, note)).map(({ name, version, sha256: hash }) => [
        name,
        version,
        hash,
      ]),
    build: async (work) => buildSmall(await lockedPackages('image-small', smallRoots, note), work),
    pack: { zst: ['zstd', '-q', '-19', '-T1', '-f'], gz: ['gzip', '-n', '-9', '-k', '-f'] },
  },
  debian: {
    inputs: debianInputs,
    build: (work) => buildDebian(work, note),
    pack: { zst: ['zstd', '-q', '-3', '-T0', '-f'] },
  },
};

async function main() {
  const { values } = parseArgs({
    options: {
      image: { type: 'string', default: 'small' },
      out: { type: 'string', default: '.cache/images' },
      force: { type: 'boolean', default: false },
    },
  });
  const image = images[values.image];
  if (!image) throw new SetupError(`--image ${values.image}: use ${Object.keys(images).join(' or ')}`);
  takeFolder(values.out, note);
  const inputs = sha256(JSON.stringify([await image.inputs(), scriptsDigest()]));
  const record = join(values.out, `${values.image}.json`);
  if (!values.force && upToDate(record, inputs, values.out))
    return note(`found ${join(values.out, values.image)}.raw.zst`);
  await make(values.image, image, inputs, values.out);
}

function scriptsDigest() {
  const files = [here, join(here, 'files'), join(here, 'tools')].flatMap((folder) =>
    readdirSync(folder)
      .sort()
      .map((name) => join(folder, name))
      .filter((file) => statSync(file).isFile() && !/\.(ts|json|md)$/.test(file)),
  );
  return sha256(files.map((file) => sha256(readFileSync(file))).join());
}

function upToDate(record, inputs, out) {
  if (!existsSync(record)) return false;
  const { inputs: made, files } = JSON.parse(readFileSync(record, 'utf8'));
  return (
    made === inputs &&
    files.every(({ name, bytes }) => existsSync(join(out, name)) && statSync(join(out, name)).size === bytes)
  );
}

async function make(name, { build, pack }, inputs, out) {
  const began = Date.now();
  const work = await mkdtemp(join(out, 'work-'));
  try {
    const raw = await build(work);
    const files = [];
    for (const [suffix, [program, ...flags]] of Object.entries(pack)) {
      await run(program, [...flags, raw]);
      const packed = `${raw}.${suffix}`;
      const bytes = readFileSync(packed);
      files.push({ name: `${name}.raw.${suffix}`, bytes: bytes.length, sha256: sha256(bytes), from: packed });
    }
    const rawBytes = statSync(raw).size;
    for (const { name: file, from } of files) await rename(from, join(out, file));
    const described = files.map(({ from: _, ...file }) => file);
    await writeFile(join(out, `${name}.json`), `${JSON.stringify({ inputs, rawBytes, files: described }, null, 2)}\n`);
    const sizes = described.map(({ name: file, bytes }) => `${file} ${(bytes / 1e6).toFixed(1)} MB`).join(', ');
    note(`built ${sizes}, ${(rawBytes / 1e6).toFixed(0)} MB unpacked (${((Date.now() - began) / 1000).toFixed(1)} s)`);
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}

await main().catch((error) => {
  if (!(error instanceof SetupError)) throw error;
  console.error(`images: ${error.message}`);
  process.exitCode = 1;
});
