import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import swc from 'unplugin-swc';
import { defineConfig } from 'vitest/config';

const base = JSON.parse(readFileSync('tsconfig.base.json', 'utf8')) as {
  compilerOptions: { paths: Record<string, readonly [string]> };
};
const alias = Object.fromEntries(
  Object.entries(base.compilerOptions.paths).map(([name, [file]]) => [name, resolve(file)]),
);

const swcPlugin = swc.vite({
  swcrc: false,
  jsc: {
    target: 'es2022',
    parser: { syntax: 'typescript', decorators: true },
    transform: { legacyDecorator: true, decoratorMetadata: true },
  },
});

/** One project per kind of test (CONTRIBUTING.md): unit needs nothing, int a server or a socket, e2e a virtual machine. */
const kind = (name: string, include: readonly string[], testTimeout: number, serial: boolean) => ({
  plugins: [swcPlugin],
  resolve: { alias },
  test: {
    name,
    include: [...include],
    exclude: ['**/node_modules/**', 'dist/**', ...(name === 'unit' ? ['**/*.int.spec.ts', '**/*.e2e.spec.ts'] : [])],
    environment: 'node' as const,
    // Times of day are shown in the time zone of who reads them.
    env: { TZ: 'UTC' },
    testTimeout,
    hookTimeout: testTimeout,
    // Half of it: what never comes is told by the poll that waited for it.
    expect: { poll: { timeout: testTimeout / 2 } },
    // Else one core fewer than there are, which on two is half of them.
    ...(serial ? { fileParallelism: false } : { maxWorkers: '100%' }),
  },
});

export default defineConfig({
  test: {
    projects: [
      kind('unit', ['{apps,libs,events,infra,test}/**/*.spec.{ts,mts}'], 60_000, false),
      kind('int', ['{apps,libs,events,infra,test}/**/*.int.spec.ts'], 240_000, true),
      kind('e2e', ['{apps,test}/**/*.e2e.spec.ts'], 600_000, true),
    ],
  },
});
