// Debian packages as building material: fetched once, checked, and locked, so that the next build uses the same files without network.
import { existsSync, readFileSync, statSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { candidate, codename, download, ownApt, updateLists } from './apt.mjs';
import { run, SetupError } from './shell.mjs';

const store = '.cache/debs';

/**
 * @typedef {{ name: string, version: string, sha256: string, file: string, bytes: number }} Package
 * The named packages and, of what they depend on, the libraries (`lib…`, `zlib1g`) and kernel images, recursively. The choice is kept
 * in `.cache/debs/<lock>.json` and used again while its files are there; delete that file to take newer versions.
 * @returns {Promise<readonly Package[]>} sorted by name
 */
export async function lockedPackages(lock, roots, note) {
  const lockFile = join(store, `${lock}.json`);
  const kept = readLock(lockFile, roots);
  if (kept) return kept;
  if (!(await candidate(ownApt, roots[0])) || !(await everyCandidate(roots))) await updateLists(ownApt, note);
  const chosen = new Map();
  const queue = [...roots];
  for (let name = queue.shift(); name; name = queue.shift()) {
    if (chosen.has(name)) continue;
    const found = await candidate(ownApt, name);
    if (!found) throw new SetupError(`apt knows no package ${name}: run apt-get update and check the sources`);
    chosen.set(name, found);
    queue.push(...libraries(found.depends));
  }
  const packages = [];
  for (const [name, found] of [...chosen].sort(([a], [b]) => (a < b ? -1 : 1))) {
    const file = join(store, fileName(name, found.version));
    if (!existsSync(file)) {
      const got = await download(ownApt, name, found, store).catch(async (error) => {
        throw new SetupError(`${error.message}\nIf the archive has newer files than apt knows of, run apt-get update.`);
      });
      if (got !== file) throw new SetupError(`apt named the file of ${name} ${got}, not ${file}`);
    }
    packages.push({ name, version: found.version, sha256: found.sha256, file, bytes: statSync(file).size });
  }
  await mkdir(dirname(lockFile), { recursive: true });
  await writeFile(lockFile, `${JSON.stringify({ codename: codename(), roots, packages }, null, 2)}\n`);
  note(`fetched ${packages.length} Debian packages for ${lock}`);
  return packages;
}

async function everyCandidate(names) {
  for (const name of names) if (!(await candidate(ownApt, name))) return false;
  return true;
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

/** As apt names a package's file in its download: `2:1.0` → `2%3a1.0`. */
const fileName = (name, version) => `${name}_${version.replaceAll(':', '%3a')}_${architectureOf(name)}.deb`;
const architectureOf = (name) => (name === 'ca-certificates' ? 'all' : 'amd64');

/** Unpacks packages into one folder; no maintainer script runs. */
export async function unpack(packages, folder) {
  await mkdir(folder, { recursive: true });
  for (const { file } of packages) await run('dpkg-deb', ['-x', file, folder]);
}
