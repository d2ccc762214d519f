import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { runInNewContext } from 'node:vm';
import { expect, it } from 'vitest';

const folder = 'dist/apps/tink-cli';
const build = (project = 'apps/tink-cli') =>
  spawn(process.execPath, ['infra/build/build.mjs', project], { stdio: 'inherit' });

it('replaces a program that others start meanwhile: it is never missing or half written, and what is gone goes', async () => {
  expect(await once(build(), 'close')).toEqual([0, null]);
  const { size } = statSync(`${folder}/main.js`);
  writeFileSync(`${folder}/stale.js`, '');
  try {
    const again = once(build(), 'close');
    let isOver = false;
    void again.then(() => (isOver = true));
    while (!isOver) {
      expect(statSync(`${folder}/main.js`, { throwIfNoEntry: false })?.size).toBe(size);
      await new Promise((resolve) => setImmediate(resolve));
    }
    expect(await again).toEqual([0, null]);
    expect(existsSync(`${folder}/stale.js`)).toBe(false);
  } finally {
    rmSync(`${folder}/stale.js`, { force: true });
  }
});

it('keeps the names of classes, and gives closures none', async () => {
  expect(await once(build('apps/hegel'), 'close')).toEqual([0, null]);
  const [line] = /^var __name = .*$/m.exec(readFileSync('dist/apps/hegel/main.js', 'utf8')) ?? [''];
  const name = runInNewContext(`${line}; __name`, { __defProp: Object.defineProperty }) as <T>(
    it: T,
    name: string,
  ) => T;
  class Renamed2 {}
  expect(name(Renamed2, 'Renamed').name).toBe('Renamed');
  expect(name(() => 1, 'closure').name).toBe('');
});
