import { SetupError } from '../../setup/shell.mjs';

// One machine architecture under the names that Debian, the linker and container images have for it.

/** @typedef {{ debian: string, triplet: string, loader: string }} Architecture loader: the dynamic loader's path in a root */
/** @type {Readonly<Record<'x86_64' | 'aarch64', Architecture>>} */
export const architectures = {
  x86_64: { debian: 'amd64', triplet: 'x86_64-linux-gnu', loader: 'lib64/ld-linux-x86-64.so.2' },
  aarch64: { debian: 'arm64', triplet: 'aarch64-linux-gnu', loader: 'lib/ld-linux-aarch64.so.1' },
};

/** Of `--arch x86_64,aarch64`, in our own order; `current` is what an earlier build has. */
export function readArchitectures(text, current = ['x86_64']) {
  const known = Object.keys(architectures);
  const wanted = text?.split(',') ?? current;
  const unknown = wanted.find((name) => !known.includes(name));
  if (unknown !== undefined) throw new SetupError(`--arch ${unknown}: use ${known.join(', ')} or both with a comma`);
  return known.filter((name) => wanted.includes(name));
}
