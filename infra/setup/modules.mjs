// node_modules as package-lock.json says, and better-sqlite3's native part for the Node that runs us. Install scripts of packages are
// off on purpose (.npmrc), so that one is built here.
import { existsSync, readFileSync } from 'node:fs';
import { copyFile, mkdir, rename, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join, resolve } from 'node:path';
import { lockDifference } from './plan.mjs';
import { run, SetupError } from './shell.mjs';

const hiddenLock = 'node_modules/.package-lock.json';
const packageFolder = 'node_modules/better-sqlite3';
const binary = join(packageFolder, 'build/Release/better_sqlite3.node');

export function lockedVersions() {
  try {
    return JSON.parse(readFileSync('package-lock.json', 'utf8'));
  } catch (error) {
    throw new SetupError(`package-lock.json cannot be read (${error.message}): restore it with git`, { cause: error });
  }
}

/** 'ok' | 'missing' | 'changed' */
export function modulesState() {
  const lock = lockedVersions();
  if (!existsSync(hiddenLock)) return 'missing';
  try {
    return lockDifference(lock, JSON.parse(readFileSync(hiddenLock, 'utf8'))).length === 0 ? 'ok' : 'changed';
  } catch (error) {
    if (error instanceof SyntaxError) return 'changed';
    throw error;
  }
}

/**
 * Not `npm ci`: that one refuses a lock file without the packages of other platforms, and a registry mirror need not have them. What
 * `npm ci` promises is checked afterwards: exactly the locked versions and contents, or an error.
 */
export async function installModules(note) {
  const before = readFileSync('package-lock.json');
  const [command, ...args] = npm(
    'install',
    '--no-save',
    '--no-audit',
    '--no-fund',
    '--prefer-offline',
    '--loglevel=error',
  );
  await run(command, args).catch((error) => {
    throw new SetupError(
      `npm could not install what package-lock.json names; the registry has to be reachable for it.\n${error.message}`,
    );
  });
  if (!readFileSync('package-lock.json').equals(before)) await writeFile('package-lock.json', before);
  const lock = lockedVersions();
  const different = existsSync(hiddenLock)
    ? lockDifference(lock, JSON.parse(readFileSync(hiddenLock, 'utf8')))
    : ['everything'];
  if (different.length > 0) {
    const names = different.slice(0, 5).join(', ');
    throw new SetupError(
      `package-lock.json does not fit package.json (${names}): restore both with git, or run npm install`,
    );
  }
  note(`installed ${Object.keys(lock.packages).length - 1} npm packages as in package-lock.json`);
}

/** npm as it was called, else the one on PATH. */
function npm(...args) {
  const script = process.env.npm_execpath;
  return script && existsSync(script) && /npm-cli\.js$/.test(script)
    ? [process.execPath, script, ...args]
    : ['npm', ...args];
}

function compiledCopy() {
  const { version } = lockedVersions().packages['node_modules/better-sqlite3'];
  const libc = process.report?.getReport().header.glibcVersionRuntime ? 'glibc' : 'musl';
  const name = `better-sqlite3-${version}-abi${process.versions.modules}-${process.arch}-${libc}`;
  return join('.cache/native', name, 'better_sqlite3.node');
}

/** 'ok' when Node loads it; 'cached' when a compiled copy is at hand; 'missing' otherwise. */
export function nativeState() {
  if (existsSync(binary) && loads(binary) === undefined) return 'ok';
  return existsSync(compiledCopy()) ? 'cached' : 'missing';
}

/** Undefined when this Node can load the file, else why not. */
function loads(file) {
  try {
    createRequire(import.meta.url)(resolve(file));
    return undefined;
  } catch (error) {
    return error.message;
  }
}

/** Puts better-sqlite3's native part in place: from our copy, as a published binary, or compiled here. Keeps a copy.
 * `ensureCompiler` is called when there is no other way. */
export async function installNative(note, ensureCompiler) {
  const copy = compiledCopy();
  if (existsSync(copy) && loads(copy) === undefined) {
    await place(copy, binary);
    return note(`found better-sqlite3 compiled for Node ${process.versions.node} in ${dirname(copy)}`);
  }
  const began = Date.now();
  let how = 'published binary';
  if (!(await published())) {
    await ensureCompiler();
    how = await compile();
  }
  const fault = loads(binary);
  if (fault) throw new SetupError(`better-sqlite3 was built but Node cannot load it: ${fault}`);
  await keepNative();
  note(
    `installed better-sqlite3 for Node ${process.versions.node} (${how}, ${Math.round((Date.now() - began) / 1000)} s)`,
  );
}

/** Keeps a copy, so that the next clean install of node_modules needs neither network nor compiler. */
export async function keepNative() {
  const copy = compiledCopy();
  if (existsSync(binary) && !existsSync(copy)) await place(binary, copy);
}

async function place(from, to) {
  await mkdir(dirname(to), { recursive: true });
  await copyFile(from, `${to}.${process.pid}`);
  await rename(`${to}.${process.pid}`, to);
}

/** True when the package's maintainers' binary was fetched; they are not on every network, so not for long. */
async function published() {
  const script = resolve('node_modules/prebuild-install/bin.js');
  if (!existsSync(script)) return false;
  try {
    await run(process.execPath, [script], { cwd: packageFolder, timeoutMs: 10_000 });
    return loads(binary) === undefined;
  } catch (error) {
    if (error instanceof SetupError) return false;
    throw error;
  }
}

async function compile() {
  const script = nodeGyp();
  if (!script) throw new SetupError('better-sqlite3 has to be compiled, but npm has no node-gyp: reinstall npm');
  const headers = headersPrefix();
  const args = ['rebuild', '--release', ...(headers ? [`--nodedir=${headers}`] : [])];
  await run(process.execPath, [script, ...args], { cwd: packageFolder }).catch((error) => {
    throw new SetupError(
      `better-sqlite3 could not be compiled (it needs g++, make, python3 and Node's headers).\n${error.message}`,
    );
  });
  return 'compiled here';
}

/** Where include/node of this very Node is, so that node-gyp downloads nothing; undefined when it has to. */
function headersPrefix() {
  const prefix = dirname(dirname(process.execPath));
  const header = join(prefix, 'include/node/node_version.h');
  if (!existsSync(header)) return undefined;
  const major = /#define NODE_MAJOR_VERSION (\d+)/.exec(readFileSync(header, 'utf8'))?.[1];
  return major === process.versions.node.split('.')[0] ? prefix : undefined;
}

function nodeGyp() {
  const prefix = dirname(dirname(process.execPath));
  const candidates = [
    process.env.npm_execpath && join(dirname(process.env.npm_execpath), '../node_modules/node-gyp/bin/node-gyp.js'),
    join(prefix, 'lib/node_modules/npm/node_modules/node-gyp/bin/node-gyp.js'),
    join(prefix, 'share/nodejs/npm/node_modules/node-gyp/bin/node-gyp.js'),
    join(prefix, 'share/nodejs/node-gyp/bin/node-gyp.js'),
  ];
  return candidates.find((file) => file && existsSync(file));
}
