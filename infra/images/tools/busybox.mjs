// busybox and its commands as links in one tree, and kernel modules with what they depend on.
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { sha256 } from './tree.mjs';

export function addBusybox(tree, program, folder = 'bin') {
  tree.file(`${folder}/busybox`, program, 0o755);
  for (const name of busyboxCommands(readFileSync(program))) {
    const path = `${folder}/${name}`;
    if (name !== 'busybox' && !tree.has(path)) tree.link(path, 'busybox');
  }
}

/** What `busybox --list` prints, read from the program's own table: one for another architecture does not run here. */
export function busyboxCommands(bytes) {
  const table = bytes.indexOf('\0[\0[[\0');
  if (table === -1) throw new Error('this busybox has no table of its commands');
  const end = bytes.indexOf('\0\0', table + 1);
  return bytes.toString('latin1', table + 1, end).split('\0');
}

/** Folder of the modules and its index, made by depmod; compressed modules are unpacked because busybox cannot load them. */
export function moduleIndex(kernelTree) {
  const base = ['usr/lib/modules', 'lib/modules']
    .map((path) => join(kernelTree, path))
    .find((path) => existsSync(path));
  if (!base) throw new Error(`${kernelTree} has no lib/modules`);
  const version = execFileSync('ls', [base], { encoding: 'utf8' }).trim();
  const folder = join(base, version);
  execFileSync('sh', ['-c', `find "$0" -name '*.ko.xz' -exec xz -d {} + `, folder]);
  execFileSync('depmod', ['-b', dirname(dirname(dirname(folder))), version]);
  const dependencies = new Map();
  for (const line of readFileSync(join(folder, 'modules.dep'), 'utf8').split('\n').filter(Boolean)) {
    const [file, list = ''] = line.split(':');
    dependencies.set(file, list.trim().split(' ').filter(Boolean));
  }
  return { version, folder, dependencies };
}

const moduleName = (file) => basename(file).replace(/\.ko$/, '').replaceAll('-', '_');

/**
 * Adds modules by name, or all below a folder when the name ends in `/`, with their dependencies, and an index of just those.
 * A name that this kernel has not is passed over: some are built in, some only in other flavours. Returns the files added.
 */
export function addModules(tree, { version, folder, dependencies }, names, scratch) {
  const byName = new Map([...dependencies.keys()].map((file) => [moduleName(file), file]));
  const wanted = new Set();
  const want = (file) => {
    if (wanted.has(file)) return;
    wanted.add(file);
    for (const dependency of dependencies.get(file) ?? []) want(dependency);
  };
  for (const name of names) {
    if (name.endsWith('/')) for (const file of dependencies.keys()) if (file.startsWith(`kernel/${name}`)) want(file);
    if (byName.has(name)) want(byName.get(name));
  }
  const index = join(scratch, `modules-${sha256([...wanted].sort().join()).slice(0, 12)}`);
  const target = join(index, 'lib/modules', version);
  for (const file of wanted) {
    mkdirSync(dirname(join(target, file)), { recursive: true });
    writeFileSync(join(target, file), readFileSync(join(folder, file)));
    tree.file(`lib/modules/${version}/${file}`, join(folder, file));
  }
  for (const file of ['modules.builtin', 'modules.builtin.modinfo', 'modules.order'])
    writeFileSync(join(target, file), readFileSync(join(folder, file)));
  execFileSync('depmod', ['-b', index, version]);
  for (const file of ['modules.dep', 'modules.alias', 'modules.builtin'])
    tree.file(`lib/modules/${version}/${file}`, join(target, file));
  return [...wanted].sort();
}
