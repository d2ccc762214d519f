#!/usr/bin/env node
// Makes a Debian machine ready for one purpose and says what it does. A second run finds everything and changes nothing.
//   node infra/setup/setup.mjs [--for demo|start|test|check|bench|chaos|fuzz] [--check] [--help]
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { delimiter, dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs, promisify } from 'node:util';
import { borrow, chooseInstallable, install, ownApt, unavailable, updateLists } from './apt.mjs';
import { takeLock } from './lock.mjs';
import { installModules, installNative, keepNative, modulesState, nativeState } from './modules.mjs';
import { borrowed, borrows, compiler, minimumNode, needs, needsBuild, purposes } from './needs.mjs';
import { compareVersions, obstacle, planSteps } from './plan.mjs';
import { buildProjects, buildState } from './project-build.mjs';
import { SetupError } from './shell.mjs';

const note = (text) => console.log(`setup: ${text}`);
const folders = [...(process.env.PATH ?? '').split(delimiter), '/usr/sbin', '/sbin', '/usr/bin', '/bin'];
const present = (file) =>
  file.startsWith('/') ? existsSync(file) : folders.some((folder) => folder && existsSync(join(folder, file)));
const unmet = (list) => list.filter(({ files }) => !files.every(present));

async function main() {
  process.chdir(resolve(dirname(fileURLToPath(import.meta.url)), '../..'));
  const { purpose, check, help } = options();
  if (help) return console.log(usage);
  if (compareVersions(process.versions.node, minimumNode) < 0) {
    throw new SetupError(
      `Node ${process.versions.node} is too old, ${minimumNode} or newer is needed (Debian 13 has one; for Debian 12 see https://nodejs.org)`,
    );
  }
  note(`found Node ${process.versions.node}`);
  let steps = planSteps(await survey(purpose));
  if (check) return report(steps, purpose);
  if (steps.length > 0 || purpose === 'start') {
    const waited = takeLock('.cache/setup/lock', () => note('another setup is at work here: waiting for it to end'));
    if (waited) steps = planSteps(await survey(purpose));
  }
  await refuseWhenImpossible(steps, purpose);
  await carryOut(steps, purpose);
  if (purpose === 'start') await artefacts();
}

const usage = `usage: node infra/setup/setup.mjs [--for ${purposes.join('|')}] [--check] [--help]
       npm run setup -- [the same]

Makes this Debian machine ready for a purpose (demo when none is given): packages, node_modules, nats-server, iPXE, build.
  --for PURPOSE   what it has to be ready for
  --check         change nothing; print what is missing and exit 1 when something is
  --help, -h      print this`;

function options() {
  try {
    const { values } = parseArgs({
      options: {
        for: { type: 'string', default: 'demo' },
        check: { type: 'boolean', default: false },
        help: { type: 'boolean', short: 'h', default: false },
      },
    });
    if (!purposes.includes(values.for)) throw new SetupError(`--for ${values.for}: use one of ${purposes.join(', ')}`);
    return { purpose: values.for, check: values.check, help: values.help };
  } catch (error) {
    throw new SetupError(`${error.message}\n${usage.split('\n')[0]}`);
  }
}

/** Looks, and prints what is there already. */
async function survey(purpose) {
  const missing = unmet(needs[purpose]);
  const met = needs[purpose].length - missing.length;
  if (met > 0) note(`found ${met} of ${needs[purpose].length} system tools`);
  const fetch = [];
  for (const name of borrows[purpose]) {
    const found = await locate(borrowed[name]);
    if (found) note(`found ${name} ${found}`);
    else fetch.push(name);
  }
  const modules = modulesState();
  if (modules === 'ok') note('found node_modules as in package-lock.json');
  const native = nativeState();
  if (native === 'ok') note('found better-sqlite3 for this Node');
  const build = needsBuild.has(purpose) ? (modules === 'ok' ? buildState() : 'stale') : 'none';
  if (build === 'ok') note('found the project built');
  return { packages: await packagesFor(missing), modules, native, borrowed: fetch, build };
}

/** Which packages bring what is missing in this Debian. */
async function packagesFor(missing) {
  if (missing.length === 0) return [];
  return present('apt-cache') ? chooseInstallable(missing) : missing.map(({ packages }) => packages[0]);
}

async function refuseWhenImpossible(steps, purpose) {
  const root = process.getuid?.() === 0;
  const apt = present('apt-get') && present('apt-cache');
  const compilers = root ? [] : await packagesFor(unmet(compiler));
  const wanted = [...steps.flatMap(({ kind, names }) => (kind === 'apt' ? names : [])), ...compilers];
  const unknown = root || !apt || wanted.length === 0 ? [] : await unavailable(wanted);
  const hindrance = obstacle(steps, { root, apt, compilers, unknown, purpose });
  if (hindrance) throw new SetupError(hindrance);
}

/** Version and place of a program that is new enough: on PATH, or unpacked into .cache. */
async function locate({ name, minimum, file, onPath }) {
  const ours = join('.cache', name, file);
  for (const candidate of [...(onPath ? folders.map((folder) => join(folder, onPath)) : []), ours]) {
    if (!existsSync(candidate)) continue;
    if (!onPath) return candidate;
    const version = await programVersion(candidate);
    if (version && compareVersions(version, minimum) >= 0) return `${version} (${candidate})`;
  }
  return undefined;
}

async function programVersion(program) {
  try {
    const { stdout } = await promisify(execFile)(program, ['--version'], { timeout: 5000 });
    return /v?(\d+\.\d+\.\d+)/.exec(stdout)?.[1];
  } catch {
    return undefined; // a program for another machine or another libc: as good as none
  }
}

function report(steps, purpose) {
  for (const { what } of steps) note(`missing: ${what}`);
  note(steps.length === 0 ? `ready for ${purpose}` : `not ready for ${purpose}: npm run setup -- --for ${purpose}`);
  process.exitCode = steps.length === 0 ? 0 : 1;
}

/** The compiler of better-sqlite3 has one core busy for a minute or more: the build, which does not need it, goes on beside it. */
async function carryOut(steps, purpose) {
  const beside = steps.filter(({ kind }) => kind === 'native' || kind === 'build');
  for (const step of steps.filter((each) => !beside.includes(each))) await perform(step, purpose);
  await Promise.all(beside.map((step) => perform(step, purpose)));
  await keepNative();
}

async function perform({ kind, what, names }, purpose) {
  note(`installing ${what}`);
  if (kind === 'apt') await installPackages(unmet(needs[purpose]));
  if (kind === 'borrow') {
    const wanted = borrowed[names[0]];
    await borrow(wanted, (folder) => runs(join(folder, wanted.file), wanted), note);
  }
  if (kind === 'modules') await installModules(note);
  if (kind === 'native' && nativeState() !== 'ok') await installNative(note, () => installCompiler(purpose));
  if (kind === 'build') await buildProjects(note);
}

/** On a fresh machine apt may not have any lists yet, and choose the wrong one of two names: so again, with lists. */
async function installPackages(missing) {
  const names = await packagesFor(missing);
  if ((await unavailable(names)).length > 0) await updateLists(ownApt, note);
  await install(await packagesFor(missing), note);
}

async function installCompiler(purpose) {
  const missing = unmet(compiler);
  if (missing.length === 0) return;
  await refuseWhenImpossible([{ kind: 'apt', names: await packagesFor(missing) }], purpose);
  await installPackages(missing);
}

async function runs(file, { onPath }) {
  if (!existsSync(file)) throw new SetupError(`the package has no ${file}`);
  if (onPath && !(await programVersion(resolve(file)))) throw new SetupError(`${file} does not run on this machine`);
}

/** What machines boot and run; each script keeps its result and returns at once when nothing changed. */
async function artefacts() {
  for (const script of ['infra/osie/build.mjs', 'infra/actions/build.mjs']) {
    if (!existsSync(script)) continue;
    note(`${script}: builds what machines boot and run, some minutes the first time`);
    const { stdout } = await promisify(execFile)(process.execPath, [script], { maxBuffer: 16 << 20 });
    for (const line of stdout.trim().split('\n')) note(line);
  }
}

try {
  await main();
} catch (error) {
  if (!(error instanceof SetupError)) throw error;
  console.error(`setup: ${error.message}`);
  process.exitCode = 1;
}
