// Debian packages: installed, or only fetched and unpacked. The machine's own apt configuration is never changed.
import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { compareVersions, debianMirror } from './plan.mjs';
import { run, SetupError } from './shell.mjs';

const quiet = { ...process.env, DEBIAN_FRONTEND: 'noninteractive', LC_ALL: 'C' };
const policy = '/usr/sbin/policy-rc.d';
const lockWait = ['-o', 'DPkg::Lock::Timeout=120'];

/** Where apt looks: the machine's own configuration, or a private one for another suite. */
export const ownApt = [];

/** Installs what is named, nothing else: no recommended packages, no upgrade, no removal, no service started. */
export async function install(names, note) {
  if ((await unavailable(names)).length > 0) await updateLists(ownApt, note);
  const missing = await unavailable(names);
  if (missing.length > 0) {
    throw new SetupError(`apt knows no package ${missing.join(', ')}: check /etc/apt/sources.list and the network`);
  }
  const added = !existsSync(policy);
  const forget = () => (added ? rm(policy, { force: true }) : undefined);
  const leave = () => void Promise.resolve(forget()).then(() => process.exit(130));
  process.once('SIGINT', leave).once('SIGTERM', leave);
  try {
    if (added) await writeFile(policy, '#!/bin/sh\nexit 101\n', { mode: 0o755 });
    const flags = ['--yes', '--no-install-recommends', '--no-upgrade', '--no-remove', ...lockWait];
    const go = () =>
      run('apt-get', ['install', ...flags, '-o', 'Dpkg::Options::=--force-confold', ...names], { env: quiet });
    // Package lists that are some weeks old name files that the archive no longer has.
    await go().catch(async (error) => {
      if (!/Failed to fetch|404|Unable to fetch/.test(error.message)) throw error;
      await updateLists(ownApt, note);
      await go();
    });
  } finally {
    process.off('SIGINT', leave).off('SIGTERM', leave);
    await forget();
  }
  for (const name of names) note(`installed ${name} ${(await installedVersion(name)) ?? ''}`.trimEnd());
}

async function installedVersion(name) {
  const shown = await run('dpkg-query', ['-W', '-f', '${Version}', name]).catch(() => undefined);
  return shown?.trim();
}

/** Of each need's packages the first that apt can install, as far as its lists tell; without lists the first. */
export async function chooseInstallable(needs) {
  const gone = new Set(await unavailable(needs.flatMap(({ packages }) => packages)));
  return [...new Set(needs.map(({ packages }) => packages.find((name) => !gone.has(name)) ?? packages[0]))];
}

/** Those that apt has no candidate for. */
export async function unavailable(names) {
  const shown = await run('apt-cache', ['policy', ...names], { env: quiet });
  const known = new Set();
  for (const block of shown.split(/\n(?=\S)/)) {
    const name = /^(\S+):$/m.exec(block)?.[1];
    if (name && !/Candidate: \(none\)/.test(block)) known.add(name);
  }
  return names.filter((name) => !known.has(name));
}

/** A source that cannot be reached is reported and passed over: others may have what is needed. */
export async function updateLists(apt, note) {
  try {
    await run('apt-get', [...apt, ...lockWait, 'update'], { env: quiet });
  } catch (error) {
    note(`apt-get update was incomplete: ${error.message.split('\n').slice(1, 3).join(' ').trim()}`);
  }
}

/** What apt would fetch: { version, sha256, depends }, or undefined. */
export async function candidate(apt, name) {
  return (await candidates(apt, [name])).get(name);
}

/** Map of name → { version, sha256, depends, file } for those that apt knows. */
export async function candidates(apt, names) {
  const shown = await run('apt-cache', [...apt, '--quiet=0', 'show', '--no-all-versions', ...names], {
    env: quiet,
  }).catch(async (error) => {
    // One unknown name fails the whole call; a list of one is the answer itself.
    if (names.length === 1) return '';
    const each = await Promise.all(names.map((name) => candidates(apt, [name])));
    return each.length > 0 ? { each } : Promise.reject(error);
  });
  if (typeof shown !== 'string') return new Map(shown.each.flatMap((map) => [...map]));
  const found = new Map();
  for (const paragraph of shown.split(/\n\n+/)) {
    const field = (key) => new RegExp(`^${key}: (.*)$`, 'm').exec(paragraph)?.[1];
    const [name, version, sha256] = [field('Package'), field('Version'), field('SHA256')];
    if (!name || !version || !sha256 || found.has(name)) continue;
    const file = `${name}_${version.replaceAll(':', '%3a')}_${field('Architecture')}.deb`;
    found.set(name, { version, sha256, depends: field('Depends') ?? '', file });
  }
  return found;
}

/** Fetches one package file into a folder and checks it against the archive's own hash. Returns its path. */
export async function download(apt, name, found, folder) {
  await downloadAll(apt, [[name, found]], folder);
  return join(folder, found.file);
}

/** The same for many, as [name, candidate]. */
export async function downloadAll(apt, wanted, folder) {
  const scratch = join(folder, `.download-${process.pid}`);
  await mkdir(scratch, { recursive: true });
  try {
    const names = wanted.map(([name, { version }]) => `${name}=${version}`);
    await run('apt-get', [...apt, 'download', ...names], { cwd: scratch, env: quiet });
    for (const [, { file, sha256 }] of wanted) {
      const got = join(scratch, file);
      if (!existsSync(got))
        throw new SetupError(`apt-get download left no ${file}: ${(await readdir(scratch)).join(', ')}`);
      const found = createHash('sha256')
        .update(await readFile(got))
        .digest('hex');
      if (found !== sha256) throw new SetupError(`${file}: SHA-256 is ${found}, the archive says ${sha256}`);
      await rename(got, join(folder, file));
    }
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
}

/** Debian's code name, from /etc/os-release; undefined elsewhere. */
export function codename() {
  if (!existsSync('/etc/os-release')) return undefined;
  return /^VERSION_CODENAME=(.+)$/m.exec(readFileSync('/etc/os-release', 'utf8'))?.[1]?.replaceAll('"', '');
}

/** { uri, signedBy } of the Debian archive that this machine uses. */
export function machineMirror() {
  const texts = ['/etc/apt/sources.list', ...list('/etc/apt/sources.list.d')]
    .filter((file) => /\.(list|sources)$/.test(file) && existsSync(file))
    .map((file) => readFileSync(file, 'utf8'));
  const mirror = debianMirror(texts, codename());
  if (!mirror) throw new SetupError(`there is no Debian archive for ${codename()} in /etc/apt`);
  return mirror;
}

/** An apt of our own for another suite of the same archive, in `folder`; the machine's sources and lists stay as they are. */
export async function privateApt(suite, folder) {
  const mirror = machineMirror();
  const root = resolve(folder, suite);
  await mkdir(join(root, 'lists/partial'), { recursive: true });
  await mkdir(join(root, 'cache/archives/partial'), { recursive: true });
  const signedBy = mirror.signedBy ?? '/usr/share/keyrings/debian-archive-keyring.gpg';
  await writeFile(join(root, 'sources.list'), `deb [signed-by=${signedBy}] ${mirror.uri} ${suite} main\n`);
  const options = {
    'Dir::Etc::sourcelist': join(root, 'sources.list'),
    'Dir::Etc::sourceparts': '/dev/null',
    'Dir::Etc::preferences': '/dev/null',
    'Dir::Etc::preferencesparts': '/dev/null',
    'Dir::State::Lists': join(root, 'lists'),
    'Dir::Cache': join(root, 'cache'),
    'APT::Sandbox::User': process.getuid?.() === 0 ? 'root' : '',
    'Acquire::Languages': 'none',
  };
  return Object.entries(options).flatMap(([key, value]) => ['-o', `${key}=${value}`]);
}

/** An apt of our own for another architecture, from the machine's own sources; dpkg is told nothing of it. */
export async function foreignApt(architecture, folder) {
  const root = resolve(folder, architecture);
  await mkdir(join(root, 'lists/partial'), { recursive: true });
  await mkdir(join(root, 'cache/archives/partial'), { recursive: true });
  const options = {
    'APT::Architecture': architecture,
    'APT::Architectures': architecture,
    'Dir::State::Lists': join(root, 'lists'),
    'Dir::State::status': '/dev/null',
    'Dir::Cache': join(root, 'cache'),
    'APT::Sandbox::User': process.getuid?.() === 0 ? 'root' : '',
    'Acquire::Languages': 'none',
  };
  return Object.entries(options).flatMap(([key, value]) => ['-o', `${key}=${value}`]);
}

/** Where apt finds packages of this architecture (Debian's name); this machine's own when left out. */
export async function aptFor(architecture) {
  if (architecture === undefined) return ownApt;
  const own = (await run('dpkg', ['--print-architecture'])).trim();
  return architecture === own ? ownApt : foreignApt(architecture, '.cache/apt');
}

const list = (folder) =>
  existsSync(folder)
    ? readdirSync(folder)
        .sort()
        .map((name) => join(folder, name))
    : [];

/**
 * Unpacks a package into `.cache/<name>/` without installing it: the distribution's own if new enough, else a newer suite's that runs
 * here. `architecture`: of a package that is made for one only. `works` is called with the unpacked folder and rejects when the program does not run.
 */
export async function borrow({ name, minimum, suites, architecture }, works, note) {
  const faults = [];
  for (const suite of [undefined, ...suites]) {
    const from = suite ?? codename() ?? 'this distribution';
    const apt = suite ? await privateApt(suite, '.cache/apt') : await aptFor(architecture);
    if (suite || !(await candidate(apt, name))) await updateLists(apt, note);
    const found = await candidate(apt, name);
    if (!found || compareVersions(found.version, minimum) < 0) {
      faults.push(`${from} has ${found ? found.version : 'none'}`);
      continue;
    }
    try {
      const file = await download(apt, name, found, '.cache/debs');
      const target = join('.cache', name);
      const fresh = `${target}.new-${process.pid}`;
      await run('dpkg', ['-x', file, fresh]);
      await works(fresh);
      const record = { package: name, suite: from, version: found.version, sha256: found.sha256 };
      await writeFile(join(fresh, 'package.json'), `${JSON.stringify(record, null, 2)}\n`);
      await rm(target, { recursive: true, force: true });
      await rename(fresh, target);
      note(`fetched ${name} ${found.version} of ${from} into ${target} (sha256 ${found.sha256.slice(0, 16)}…)`);
      return;
    } catch (error) {
      faults.push(`${from}: ${error.message}`);
    }
  }
  throw new SetupError(`no ${name} ≥ ${minimum} to be had:\n  ${faults.join('\n  ')}`);
}
