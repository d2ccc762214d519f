// Debian packages as building material: fetched once, checked, and locked, so that the next build uses the same files without network.
import { existsSync, readFileSync, statSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { aptFor, candidates, codename, downloadAll, updateLists } from './apt.mjs';
import { run, SetupError } from './shell.mjs';

const store = '.cache/debs';

/**
 * @typedef {{ name: string, version: string, sha256: string, file: string, bytes: number }} Package
 * The named packages and, of what they depend on, the libraries (`lib…`, `zlib1g`) and kernel images, recursively. The choice is kept
 * in `.cache/debs/<lock>.json` and used again while its files are there; delete that file to take newer versions.
 * `architecture`: Debian's name; this machine's own when left out.
 * @returns {Promise<readonly Package[]>} sorted by name
 */
export async function lockedPackages(lock, roots, note, architecture) {
  const lockFile = join(store, `${lock}.json`);
  const kept = readLock(lockFile, roots);
  if (kept) return kept;
  const apt = await aptFor(architecture);
  if ((await candidates(apt, roots)).size < roots.length) await updateLists(apt, note);
  const chosen = await closure(apt, roots);
  const packages = [...chosen].sort(([a], [b]) => (a < b ? -1 : 1));
  const absent = packages.filter(([, { file }]) => !existsSync(join(store, file)));
  if (absent.length > 0) {
    await downloadAll(apt, absent, store).catch((error) => {
      throw new SetupError(`${error.message}\nIf the archive has newer files than apt knows of, run apt-get update.`);
    });
  }
  const locked = packages.map(([name, { version, sha256, file }]) => {
    const path = join(store, file);
    return { name, version, sha256, file: path, bytes: statSync(path).size };
  });
  await mkdir(dirname(lockFile), { recursive: true });
  await writeFile(lockFile, `${JSON.stringify({ codename: codename(), roots, packages: locked }, null, 2)}\n`);
  note(`took ${locked.length} Debian packages for ${lock}`);
  return locked;
}

/** Map of name → candidate of the roots and the libraries below them. */
async function closure(apt, roots) {
  const chosen = new Map();
  for (let wanted = roots; wanted.length > 0;) {
    const found = await candidates(apt, wanted);
    const unknown = wanted.find((name) => !found.has(name));
    if (unknown) throw new SetupError(`apt knows no package ${unknown}: run apt-get update and check the sources`);
    for (const [name, each] of found) chosen.set(name, each);
    const next = [...found.values()].flatMap(({ depends }) => libraries(depends));
    wanted = [...new Set(next)].filter((name) => !chosen.has(name));
  }
  return chosen;
}

function readLock(file, roots) {
  if (!existsSync(file)) return undefined;
  const lock = JSON.parse(readFileSync(file, 'utf8'));
  if (lock.codename !== codename() || lock.roots.join() !== roots.join()) return undefined;
  const whole = ({ file: deb, bytes }) => existsSync(deb) && statSync(deb).size === bytes;
  return lock.packages.every(whole) ? lock.packages : undefined;
}

/** Of `libc6 (>= 2.34), libfoo1 | libfoo2, adduser` the names that bring shared libraries or a kernel; first alternative each. */
function libraries(depends) {
  return depends
    .split(',')
    .map((each) =>
      each
        .split('|')[0]
        .replace(/[(:].*/, '')
        .trim(),
    )
    .filter((name) => /^(lib(?!c-bin)|zlib1g$|linux-image-\d)/.test(name));
}

/** Unpacks packages into one folder; no maintainer script runs. */
export async function unpack(packages, folder) {
  await mkdir(folder, { recursive: true });
  for (const { file } of packages) await run('dpkg-deb', ['-x', file, folder]);
}
