import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { run } from './shell.mjs';

const stamp = '.cache/setup/build.json';
const roots = ['apps', 'libs', 'events', 'infra/build', 'infra/nats', 'infra/registry', 'test'];
const files = ['package-lock.json', 'tsconfig.base.json', 'nx.json'];
const ignored = new Set(['node_modules', 'dist', 'fixtures']);

/** 'ok' when nothing below the sources changed since the last build and every bundle is there. */
export function buildState() {
  if (!existsSync(stamp)) return 'stale';
  const { digest, outputs } = JSON.parse(readFileSync(stamp, 'utf8'));
  return digest === sourceDigest() && outputs.every((output) => existsSync(output)) ? 'ok' : 'stale';
}

/** Name, size and time of every source: Nx's own cache compares contents, this only decides whether to ask Nx (which takes seconds). */
function sourceDigest() {
  const hash = createHash('sha256');
  const add = (path) => {
    const { size, mtimeMs } = statSync(path);
    hash.update(`${path}\0${size}\0${mtimeMs}\n`);
  };
  const walk = (folder) => {
    for (const entry of readdirSync(folder, { withFileTypes: true }).sort((a, b) => (a.name < b.name ? -1 : 1))) {
      if (ignored.has(entry.name)) continue;
      const path = join(folder, entry.name);
      if (entry.isDirectory()) walk(path);
      else if (entry.isFile()) add(path);
    }
  };
  for (const root of roots) if (existsSync(root)) walk(root);
  for (const file of files) if (existsSync(file)) add(file);
  return hash.digest('hex');
}

export async function buildProjects(note) {
  const began = Date.now();
  const digest = sourceDigest();
  const env = { ...process.env, NX_DAEMON: 'false', NX_NO_CLOUD: 'true' };
  const nx = resolve('node_modules/nx/dist/bin/nx.js');
  const [command, ...first] = existsSync(nx) ? [process.execPath, nx] : [resolve('node_modules/.bin/nx')];
  await run(command, [...first, 'run-many', '-t', 'build', '--parallel=2', '--outputStyle=static'], { env });
  await mkdir('.cache/setup', { recursive: true });
  await writeFile(stamp, JSON.stringify({ digest, outputs: outputFolders() }));
  note(`built the project (${((Date.now() - began) / 1000).toFixed(1)} s)`);
}

/** dist/<project> of every project that has a build. */
function outputFolders() {
  return ['apps', 'test']
    .flatMap((root) => [root, ...readdirSync(root).map((name) => join(root, name))])
    .filter((folder) => existsSync(join('dist', folder)) && existsSync(join('dist', folder, 'main.js')))
    .map((folder) => join('dist', folder, 'main.js'));
}
