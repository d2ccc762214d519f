import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { expect, it } from 'vitest';

const folder = 'dist/apps/tink-cli';
const build = () => spawn(process.execPath, ['infra/build/build.mjs', 'apps/tink-cli'], { stdio: 'inherit' });

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
