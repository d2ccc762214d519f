import nx from '@nx/eslint-plugin';
import reactHooks from 'eslint-plugin-react-hooks';
import tseslint from 'typescript-eslint';

// Who may import whom (style: boundaries are enforced, not hoped). "a ← b" in CONTRIBUTING.md is one line here.
const depConstraints = [
  { sourceTag: 'type:events', onlyDependOnLibsWithTags: ['type:none'] },
  { sourceTag: 'type:core', onlyDependOnLibsWithTags: ['type:events', 'type:core', 'type:bytes'] },
  { sourceTag: 'type:bytes', onlyDependOnLibsWithTags: ['type:none'] },
  { sourceTag: 'type:codec', onlyDependOnLibsWithTags: ['type:bytes'] },
  { sourceTag: 'type:store', onlyDependOnLibsWithTags: ['type:events', 'type:core', 'type:platform'] },
  { sourceTag: 'type:platform', onlyDependOnLibsWithTags: ['type:events', 'type:platform'] },
  { sourceTag: 'type:infra', onlyDependOnLibsWithTags: ['type:events', 'type:platform'] },
  {
    sourceTag: 'type:app',
    onlyDependOnLibsWithTags: [
      ...['type:events', 'type:bytes', 'type:core', 'type:codec', 'type:store', 'type:platform', 'type:infra'],
    ],
  },
  {
    sourceTag: 'type:composer',
    onlyDependOnLibsWithTags: [
      'type:events',
      'type:bytes',
      'type:core',
      'type:codec',
      'type:store',
      'type:platform',
      'type:infra',
      'type:app',
    ],
  },
  { sourceTag: 'type:testing', onlyDependOnLibsWithTags: ['type:events'] },
  { sourceTag: 'type:test', onlyDependOnLibsWithTags: ['*'] },
];

const pureMessage = 'events, domain, projections and the codecs are pure: no I/O, no framework, no clock.';
const pure = [
  'events',
  'libs/domain',
  'libs/projections',
  'libs/public-events',
  'libs/bytes',
  'libs/dhcp',
  'libs/dhcp6',
  'libs/tftp',
  'libs/ipxe',
  'libs/syslog',
  'libs/template',
  'libs/history',
];
/** Globals that do I/O, keep time or are random; the last ones lead to all others. */
const impureGlobals = [
  ...['process', 'console', 'fetch', 'performance', 'crypto', 'WebSocket', 'require'],
  ...['setTimeout', 'setInterval', 'setImmediate', 'globalThis', 'global'],
];

const nestApps = 'apps/{boots,tink-server,tink-worker,hegel,rufio,dashboard,tinkerbell}/**';

/** package → where it may be imported; everywhere else it is an error. */
const homes = [
  {
    packages: ['@nestjs/*'],
    files: [nestApps],
  },
  {
    packages: ['nats'],
    files: ['libs/event-store/src/jetstream*.ts', 'libs/messaging/src/nats-*.ts', 'infra/nats/**'],
  },
  { packages: ['nats-jwt', '@peculiar/x509'], files: ['libs/identity/**'] },
  { packages: ['nkeys.js'], files: ['libs/identity/**', 'apps/tink-worker/src/enrolment/user-key.ts'] },
  {
    packages: ['@kurrent/kurrentdb-client'],
    files: ['apps/archive/src/kurrent.ts', 'apps/archive/src/testing/kurrent-stub.ts'],
  },
  { packages: ['dockerode'], files: ['apps/tink-worker/src/containers/docker.ts'] },
  {
    packages: ['koffi'],
    files: [
      'apps/boots/src/udp/native-batch.ts',
      'apps/boots/src/udp/segments.int.spec.ts',
      'apps/boots/src/dhcp/ping-probe.ts',
      'apps/boots/src/files/native-sendfile.ts',
    ],
  },
  { packages: ['dhcp', 'tftp2'], files: ['test/interop/**'] },
  { packages: ['better-sqlite3'], files: ['libs/event-store/src/proj*.ts'] },
  {
    packages: ['class-validator', 'class-transformer'],
    files: ['**/*.dto.ts', '**/*.config.ts', 'libs/config/**'],
  },
];

const patternsFor = (file) =>
  homes
    .filter(({ files }) => !files.includes(file))
    .map(({ packages, files }) => ({
      // Anchored with a slash: `dhcp` alone would match @tinkerbell/dhcp too.
      group: packages.flatMap((name) => (name.endsWith('/*') ? [name] : [`/${name}`, `/${name}/*`])),
      message: `may only be imported in ${files.join(', ')}`,
    }));

/** Packages, pure themselves, that one pure folder may import. */
const purePackages = {
  'libs/template': '|yaml$|re2js$|@noble/hashes/',
  'libs/public-events': '|@sinclair/typebox(?:/value)?$',
};

/** What a pure folder may not import: all but its own files and our libraries, of which the tags decide. */
const notOurs = (dir) => `^(?!\\.{1,2}(?:/|$)|@tinkerbell/${purePackages[dir] ?? ''})`;

const homeRules = [
  // Outside every home nothing on the list may be imported; inside a home its own packages are allowed again.
  { files: ['**/*.ts', '**/*.tsx'], rules: { 'no-restricted-imports': ['error', { patterns: patternsFor('') }] } },
  ...homes.flatMap(({ files }) =>
    files.map((file) => ({
      files: [file.endsWith('**') ? `${file}/*.{ts,tsx}` : file],
      rules: { 'no-restricted-imports': ['error', { patterns: patternsFor(file) }] },
    })),
  ),
  // A DTO or a config inside a Nest app may use both families.
  {
    files: [`${nestApps}/*.dto.ts`, `${nestApps}/*.config.ts`],
    rules: {
      'no-restricted-imports': [
        'error',
        {
          patterns: patternsFor('').filter(
            ({ group }) => !group.includes('/class-validator') && !group.includes('@nestjs/*'),
          ),
        },
      ],
    },
  },
  ...pure.map((dir) => ({
    files: [`${dir}/src/**/*.ts`],
    ignores: ['**/*.spec.ts'],
    rules: {
      'no-restricted-imports': ['error', { patterns: [{ regex: notOurs(dir), message: pureMessage }] }],
      'no-restricted-globals': ['error', ...impureGlobals.map((name) => ({ name, message: pureMessage }))],
      'no-restricted-properties': [
        'error',
        { object: 'Date', property: 'now', message: pureMessage },
        { object: 'Math', property: 'random', message: pureMessage },
      ],
      'no-restricted-syntax': [
        'error',
        ...[
          'ImportExpression',
          'TSImportEqualsDeclaration',
          "NewExpression[callee.name='Date'][arguments.length=0]",
          "CallExpression[callee.name='Date']",
        ].map((selector) => ({ selector, message: pureMessage })),
      ],
    },
  })),
];

export default tseslint.config(
  { ignores: ['**/dist/**', '.cache/**', '.nx/**', 'node_modules/**', '**/fixtures/**', '.tinkerbell/**'] },
  ...tseslint.configs.recommended.map((config) => ({ ...config, files: ['**/*.ts', '**/*.tsx'] })),
  {
    files: ['**/*.ts', '**/*.tsx'],
    plugins: { '@nx': nx },
    rules: {
      '@nx/enforce-module-boundaries': [
        'error',
        { allow: [], allowCircularSelfDependency: false, enforceBuildableLibDependency: false, depConstraints },
      ],
      '@typescript-eslint/consistent-type-imports': ['error', { fixStyle: 'separate-type-imports' }],
      '@typescript-eslint/no-explicit-any': 'error',
      '@typescript-eslint/no-non-null-assertion': 'error',
      '@typescript-eslint/no-unused-vars': ['error', { argsIgnorePattern: '^_', varsIgnorePattern: '^_' }],
      'no-restricted-exports': ['error', { restrictDefaultExports: { direct: true, named: true, defaultFrom: true } }],
      'max-lines': ['error', { max: 400, skipBlankLines: false, skipComments: false }],
      'max-lines-per-function': ['error', { max: 60, skipBlankLines: true, skipComments: true, IIFEs: true }],
      'no-empty': ['error', { allowEmptyCatch: false }],
    },
  },
  {
    // Nest resolves constructor parameters from emitted metadata: those imports must stay value imports.
    files: ['apps/**/*.ts'],
    rules: { '@typescript-eslint/consistent-type-imports': 'off' },
  },
  {
    files: ['**/*.spec.ts', '**/*.contract.ts', 'libs/history/src/testing/*.ts', 'test/**/*.ts'],
    rules: {
      '@nx/enforce-module-boundaries': [
        'error',
        { allow: [], depConstraints: [{ sourceTag: '*', onlyDependOnLibsWithTags: ['*'] }] },
      ],
      'max-lines-per-function': 'off',
    },
  },
  { files: ['*.config.ts', 'apps/dashboard/web/**'], rules: { 'no-restricted-exports': 'off' } },
  {
    files: ['apps/dashboard/web/**/*.{ts,tsx}'],
    plugins: { 'react-hooks': reactHooks },
    rules: { 'react-hooks/rules-of-hooks': 'error', 'react-hooks/exhaustive-deps': 'error' },
  },
  ...homeRules,
  { files: ['**/*.spec.ts', 'test/**/*.ts'], rules: { 'no-restricted-imports': 'off' } },
);
