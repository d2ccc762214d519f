import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { run } from '../../pxe-vm/run';

export interface Artefacts {
  readonly osie: string;
  readonly actions: string;
  /** The compressed disk image to write. */
  readonly image: string;
}

/** Builds what a machine boots and runs; each script keeps its result in the cache and returns at once when nothing changed. */
export async function buildArtefacts(
  image: 'small' | 'debian',
  note: (text: string) => void,
  architectures?: readonly ('x86_64' | 'aarch64')[],
): Promise<Artefacts> {
  const arch = architectures ? ['--arch', architectures.join()] : [];
  const timed = async (what: string, ...args: readonly string[]) => {
    const began = Date.now();
    await run(process.execPath, ...args);
    note(`${what}: ${((Date.now() - began) / 1000).toFixed(1)} s`);
  };
  await timed('in-memory OS', 'infra/osie/build.mjs', ...arch);
  await timed('action images', 'infra/actions/build.mjs', ...arch);
  await timed(`disk image (${image})`, 'infra/images/build.mjs', '--image', image);
  const file = resolve('.cache/images', `${image}.raw.zst`);
  if (!existsSync(file)) throw new Error(`infra/images/build.mjs made no ${file}`);
  return { osie: resolve('.cache/osie/current'), actions: resolve('.cache/actions'), image: join(file) };
}
