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
    ['a library uses Nest', 'libs/messaging/src/x.ts', use('Module', '@nestjs/common'), 'no-restricted-imports'],
    ['the CLI uses Nest', 'apps/tink-cli/src/x.ts', use('Module', '@nestjs/common'), 'no-restricted-imports'],
    ['an app talks to NATS itself', 'apps/tink-server/src/x.ts', use('connect', 'nats'), 'no-restricted-imports'],
    [
      'dockerode outside its adapter',
      'apps/tink-worker/src/x.ts',
      "import Docker from 'dockerode';\nexport const used = Docker;\n",
      'no-restricted-imports',
    ],
    ['validators outside a DTO', 'apps/hegel/src/x.ts', use('IsString', 'class-validator'), 'no-restricted-imports'],
  ])('refuse it when %s', async (_what, file, code, rule) => {
    expect(await complaints(file, code)).toContain(rule);
  });

  it.each([
    ['an app uses the domain', 'apps/boots/src/x.ts', use('InvalidError', '@tinkerbell/domain')],
    ['an app uses Nest', 'apps/boots/src/x.ts', use('Module', '@nestjs/common')],
    ['the provisioner composes the apps', 'apps/tinkerbell/src/x.ts', use('startHegel', '@tinkerbell/hegel')],
    ['a DTO uses validators', 'apps/hegel/src/x.dto.ts', use('IsString', 'class-validator')],
  ])('allow it when %s', async (_what, file, code) => {
    expect(await complaints(file, code)).toEqual([]);
  });
});
