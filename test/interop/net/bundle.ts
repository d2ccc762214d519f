import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { transform } from '@swc/core';
import { build } from 'esbuild';

export interface Bundle {
  /** A CommonJS file that Node runs as it is. */
  readonly file: string;
  remove(): Promise<void>;
}

/** One of our programs as a single file, for a process of its own. Packages stay in node_modules, so the file lies below it. */
export async function bundle(entry: string): Promise<Bundle> {
  const folder = await mkdtemp(join(process.cwd(), 'node_modules', '.bundle-'));
  const file = join(folder, 'main.js');
  await build({
    entryPoints: [entry],
    outfile: file,
    bundle: true,
    platform: 'node',
    format: 'cjs',
    target: 'node20',
    keepNames: true,
    tsconfig: 'tsconfig.base.json',
    logLevel: 'warning',
    plugins: [
      {
        // esbuild does not emit the decorator metadata that Nest reads.
        name: 'swc',
        setup: (api) => {
          api.onLoad({ filter: /\.ts$/ }, async ({ path }) => {
            const { code } = await transform(await readFile(path, 'utf8'), {
              filename: path,
              swcrc: false,
              sourceMaps: 'inline',
              jsc: {
                target: 'es2022',
                parser: { syntax: 'typescript', decorators: true },
                transform: { legacyDecorator: true, decoratorMetadata: true },
              },
            });
            return { contents: code, loader: 'js' };
          });
          api.onResolve({ filter: /^[^./]/ }, ({ path, kind }) =>
            kind === 'entry-point' || path.startsWith('@tinkerbell/') ? undefined : { path, external: true },
          );
        },
      },
    ],
  });
  return { file, remove: () => rm(folder, { recursive: true, force: true }) };
}
