// Builds one project into dist/<project>/<entry>.js: esbuild bundles, SWC transpiles first because esbuild does not emit decorator metadata.
import { cp, mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { basename, dirname, join, relative } from 'node:path';
import { transform } from '@swc/core';
import { build } from 'esbuild';

/**
 * entries: source files, one bundle each. selfContained: npm packages go into the bundle too (the worker runs in OSIE without
 * node_modules, the CLI has to start fast). assets: copied beside the bundle. web: a Vite front end built into dist/<project>/web.
 */
const projects = {
  'apps/archive': { entries: ['src/main.ts'] },
  'apps/boots': { entries: ['src/main.ts'] },
  'apps/tink-server': { entries: ['src/main.ts'], assets: ['proto'] },
  'apps/tink-worker': {
    entries: ['src/main.ts', 'src/boot.ts'],
    selfContained: true,
    // dockerode asks for these for ssh:// hosts, BuildKit and building images, class-validator for telephone numbers: half a second
    // of start in an emulated machine for what the worker never does.
    without: [
      ...['@grpc/grpc-js', '@grpc/proto-loader', 'protobufjs', 'ssh2', 'tar-fs', '@balena/dockerignore'],
      'libphonenumber-js',
    ],
  },
  'apps/hegel': { entries: ['src/main.ts'] },
  'apps/dashboard': { entries: ['src/main.ts'], web: 'web' },
  'apps/tink-cli': { entries: ['src/main.ts'], selfContained: true },
  'apps/tinkerbell': { entries: ['src/main.ts', 'src/archive-child.ts'], assets: ['../tink-server/proto'] },
  'test/demo': { entries: ['src/main.ts', 'src/forward.ts'] },
  'test/bench': {
    entries: [
      'src/main.ts',
      'src/replay.child.ts',
      'src/boots.child.ts',
      'src/workflows/crew.child.ts',
      'src/dhcp/boots-dhcp.child.ts',
    ],
    assets: ['../../apps/tink-server/proto', 'load'],
  },
  'test/fuzz': { entries: ['src/main.ts'] },
  'test/chaos': { entries: ['src/main.ts', 'src/inside.ts'] },
};

// Nest, gRPC and NATS load these only when their feature is used; a self-contained bundle must not fail on their absence.
const optional = [
  '@nestjs/websockets/socket-module',
  '@nestjs/microservices/microservices-module',
  '@nestjs/microservices',
  '@nestjs/platform-socket.io',
  '@nestjs/platform-express',
  'class-transformer/storage',
  'cpu-features',
  './crypto/build/Release/sshcrypto.node',
  'bufferutil',
  'utf-8-validate',
];

const swcPlugin = {
  name: 'swc',
  setup(api) {
    api.onLoad({ filter: /\.tsx?$/ }, async ({ path }) => {
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
  },
};

export async function buildProject(project) {
  const options = projects[project];
  if (!options) throw new Error(`${project} is not listed in infra/build/build.mjs`);
  const target = join('dist', project);
  // Beside the target: paths in source maps are relative.
  const outdir = `${target}.${process.pid}`;
  try {
    await bundle(project, options, outdir);
    await replaceFolder(outdir, target);
  } finally {
    await rm(outdir, { recursive: true, force: true });
  }
}

/** At no moment is a file missing or half written that both folders have: its program may be started just then. */
async function replaceFolder(source, target) {
  const files = await filesIn(source);
  for (const file of files) {
    await mkdir(dirname(join(target, file)), { recursive: true });
    await rename(join(source, file), join(target, file));
  }
  for (const file of await filesIn(target)) if (!files.includes(file)) await rm(join(target, file), { force: true });
}

async function filesIn(folder) {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => !entry.isDirectory())
    .map(({ parentPath, name }) => relative(folder, join(parentPath, name)));
}

async function bundle(project, options, outdir) {
  await mkdir(outdir, { recursive: true });
  await build({
    entryPoints: Object.fromEntries(options.entries.map((e) => [basename(e, '.ts'), join(project, e)])),
    outdir,
    bundle: true,
    platform: 'node',
    format: 'cjs',
    target: 'node20',
    sourcemap: 'linked',
    keepNames: true,
    minifySyntax: Boolean(options.selfContained),
    minifyWhitespace: Boolean(options.selfContained),
    external: optional,
    tsconfig: 'tsconfig.base.json',
    plugins: [swcPlugin, absent(options.without ?? []), ...(options.selfContained ? [] : [externalPackages])],
    logLevel: 'warning',
  });
  if (!options.selfContained)
    for (const e of options.entries) await nameClassesOnly(join(outdir, `${basename(e, '.ts')}.js`));
  for (const asset of options.assets ?? []) {
    await cp(join(project, asset), join(outdir, basename(asset)), { recursive: true });
  }
  if (options.web) {
    const { build: viteBuild } = await import('vite');
    await viteBuild({
      root: join(project, options.web),
      logLevel: 'warn',
      build: { outDir: join(process.cwd(), outdir, options.web), emptyOutDir: true },
    });
  }
}

const naming = /__name = \((\w+), (\w+)\) => /;

/**
 * esbuild gives every function its name when it is made, because it may have renamed what holds it: also each closure that lives for a
 * microsecond, of which that is nearly all of the cost. Only the names of classes are looked at.
 */
async function nameClassesOnly(file) {
  const code = await readFile(file, 'utf8');
  if (!code.includes('__name(')) return;
  if (!naming.test(code)) throw new Error(`${file} names its functions in another way: see nameClassesOnly`);
  await writeFile(file, code.replace(naming, '$&$1.prototype === void 0 || $1.name === $2 ? $1 : '));
}

/** Replaces packages by an empty module. */
function absent(packages) {
  return {
    name: 'absent',
    setup(api) {
      api.onResolve({ filter: /^[^./]/ }, ({ path }) =>
        packages.some((name) => path === name || path.startsWith(`${name}/`))
          ? { path, namespace: 'absent' }
          : undefined,
      );
      api.onLoad({ filter: /.*/, namespace: 'absent' }, () => ({ contents: 'module.exports = {};', loader: 'js' }));
    },
  };
}

/** Everything that is not a relative path or one of our own packages stays a require() of node_modules. */
const externalPackages = {
  name: 'external-packages',
  setup(api) {
    api.onResolve({ filter: /^[^./]/ }, ({ path, kind }) =>
      kind === 'entry-point' || path.startsWith('@tinkerbell/') ? undefined : { path, external: true },
    );
  },
};

for (const project of process.argv.slice(2)) await buildProject(project);
