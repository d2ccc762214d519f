import { createProjectGraphAsync } from '@nx/devkit';
import { ESLint } from 'eslint';
import { beforeAll, describe, expect, it } from 'vitest';

const eslint = new ESLint();

/** What the linter says of `code` if it stood in `file`. */
async function complaints(file: string, code: string): Promise<readonly string[]> {
  const [result] = await eslint.lintText(code, { filePath: file });
  return result?.messages.map(({ ruleId }) => ruleId ?? 'syntax') ?? [];
}

const use = (name: string, from: string) => `import { ${name} } from '${from}';\nexport const used = ${name};\n`;

describe('import boundaries', () => {
  // The rule reads the cached graph and is silent without one.
  beforeAll(() => createProjectGraphAsync(), 60_000);

  it.each([
    [
      'an app imports another app',
      'apps/boots/src/x.ts',
      use('startHegel', '@tinkerbell/hegel'),
      '@nx/enforce-module-boundaries',
    ],
    [
      'the domain imports the store',
      'libs/domain/src/x.ts',
      use('handle', '@tinkerbell/event-store'),
      '@nx/enforce-module-boundaries',
    ],
    [
      'a codec imports the events',
      'libs/dhcp/src/x.ts',
      use('catalogue', '@tinkerbell/events'),
      '@nx/enforce-module-boundaries',
    ],
    [
      'the catalogue imports anything of ours',
      'events/src/x.ts',
      use('subjects', '@tinkerbell/messaging'),
      '@nx/enforce-module-boundaries',
    ],
    [
      'product code imports testing',
      'libs/domain/src/x.ts',
      use('specify', '@tinkerbell/testing'),
      '@nx/enforce-module-boundaries',
    ],
    ['the domain does I/O', 'libs/domain/src/x.ts', use('readFile', 'node:fs/promises'), 'no-restricted-imports'],
    [
      'a projection reads the clock',
      'libs/projections/src/x.ts',
      'export const now = () => Date.now();\n',
      'no-restricted-properties',
    ],
    ['a codec imports an npm package', 'libs/dhcp/src/x.ts', use('parse', 'ipaddr.js'), 'no-restricted-imports'],
    ['the domain reads YAML', 'libs/domain/src/x.ts', use('parse', 'yaml'), 'no-restricted-imports'],
    [
      'templates import a package that is not theirs',
      'libs/template/src/x.ts',
      use('map', 'rxjs'),
      'no-restricted-imports',
    ],
    ['a library uses Nest', 'libs/messaging/src/x.ts', use('Module', '@nestjs/common'), 'no-restricted-imports'],
    ['the CLI uses Nest', 'apps/tink-cli/src/x.ts', use('Module', '@nestjs/common'), 'no-restricted-imports'],
    [
      'a configuration of the CLI uses Nest',
      'apps/tink-cli/src/x.config.ts',
      use('Module', '@nestjs/common'),
      'no-restricted-imports',
    ],
    [
      'a DTO of the CLI uses Nest',
      'apps/tink-cli/src/x.dto.ts',
      use('Module', '@nestjs/common'),
      'no-restricted-imports',
    ],
    ['an app talks to NATS itself', 'apps/tink-server/src/x.ts', use('connect', 'nats'), 'no-restricted-imports'],
    [
      'dockerode outside its adapter',
      'apps/tink-worker/src/x.ts',
      "import Docker from 'dockerode';\nexport const used = Docker;\n",
      'no-restricted-imports',
    ],
    [
      'the client of KurrentDB outside its adapter',
      'apps/archive/src/x.ts',
      use('KurrentDBClient', '@kurrent/kurrentdb-client'),
      'no-restricted-imports',
    ],
    ['validators outside a DTO', 'apps/hegel/src/x.ts', use('IsString', 'class-validator'), 'no-restricted-imports'],
  ])('refuse it when %s', async (_what, file, code, rule) => {
    expect(await complaints(file, code)).toContain(rule);
  });

  const pure = [
    ...['events', 'libs/domain', 'libs/projections', 'libs/template', 'libs/bytes'],
    ...['libs/dhcp', 'libs/dhcp6', 'libs/tftp', 'libs/ipxe'],
  ];
  const impure: readonly (readonly [string, string])[] = [
    ...['crypto', 'https', 'fs', 'fs/promises', 'child_process', 'timers', 'node:crypto'].map(
      (name) => [use('x', name), 'no-restricted-imports'] as const,
    ),
    ["export * from 'os';\n", 'no-restricted-imports'],
    ["export const x = () => import('crypto');\n", 'no-restricted-syntax'],
    ["export const x = () => import('node:https');\n", 'no-restricted-syntax'],
    ["import x = require('crypto');\nexport const y = x;\n", 'no-restricted-syntax'],
    ['export const x = () => new Date();\n', 'no-restricted-syntax'],
    ['export const x = () => Date();\n', 'no-restricted-syntax'],
    ['export const x = () => Date.now();\n', 'no-restricted-properties'],
    ['export const x = () => Math.random();\n', 'no-restricted-properties'],
    ...[
      ...["fetch('http://a')", 'crypto.randomUUID()', 'performance.now()', "console.log('x')", 'process.env'],
      ...['globalThis.process', 'global.process', "require('fs')"],
      ...['setTimeout(() => 1)', 'setInterval(() => 1)', 'setImmediate(() => 1)'],
    ].map((code) => [`export const x = () => ${code};\n`, 'no-restricted-globals'] as const),
  ];
  it.each(impure)('refuse it in every pure folder: %s', async (code, rule) => {
    for (const dir of pure) expect(await complaints(`${dir}/src/x.ts`, code), dir).toContain(rule);
  });

  it.each([
    ['templates read YAML', 'libs/template/src/x.ts', use('parseDocument', 'yaml')],
    ['templates match as Go does', 'libs/template/src/x.ts', use('RE2JS', 're2js')],
    ['templates make checksums', 'libs/template/src/x.ts', use('sha256', '@noble/hashes/sha2.js')],
    [
      'a time that was given is computed with',
      'libs/domain/src/x.ts',
      'export const x = (at: number) => new Date(at);\n',
    ],
    ['a configuration of a Nest app uses Nest', 'apps/boots/src/x.config.ts', use('Module', '@nestjs/common')],
    ['an app uses the domain', 'apps/boots/src/x.ts', use('InvalidError', '@tinkerbell/domain')],
    ['an app uses Nest', 'apps/boots/src/x.ts', use('Module', '@nestjs/common')],
    ['the provisioner composes the apps', 'apps/tinkerbell/src/x.ts', use('startHegel', '@tinkerbell/hegel')],
    ['a DTO uses validators', 'apps/hegel/src/x.dto.ts', use('IsString', 'class-validator')],
  ])('allow it when %s', async (_what, file, code) => {
    expect(await complaints(file, code)).toEqual([]);
  });
});
