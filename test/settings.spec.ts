// docs/settings.md is made of the configuration classes; UPDATE_FIXTURES=1 writes it anew.
import { existsSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import { format, resolveConfig } from 'prettier';
import ts from 'typescript';
import { expect, it } from 'vitest';

const page = 'docs/settings.md';
const services = ['boots', 'tink-server', 'hegel', 'dashboard', 'archive'];
const introduction = `# Settings

Settings of the services are environment variables. \`tink up\` (\`npm start\`) hands those of its environment on to all of them and has flags of
its own: \`tink up --help\`. What is marked with * it decides itself, by such a flag or because only one value can be right there; with \`--ip6\` also PUBLIC_IP6 and those that end in URL6 or ADDRESS6.
Every service reports all faults of its settings together and does not start with one. Switches are \`true\` or \`false\`.

The worker in the in-memory OS has its settings in [its README](../apps/tink-worker/README.md), the CLI in [cli.md](cli.md), the pools of a
\`BOOTS_DHCP_FILE\` are in [dhcp.md](dhcp.md).`;

interface Setting {
  readonly name: string;
  readonly usual: string;
  readonly about: string;
}

it('docs/settings.md has every setting', async () => {
  const sources = ['up', 'settings'].map((name) => readFile(`apps/tinkerbell/src/${name}.ts`, 'utf8'));
  const decided = decidedByUp((await Promise.all(sources)).join('\n'));
  const sections = await Promise.all(services.map((service) => section(service, decided)));
  const text = await format([introduction, ...sections].join('\n\n'), {
    ...(await resolveConfig(page)),
    parser: 'markdown',
  });
  const written = existsSync(page) ? await readFile(page, 'utf8') : '';
  if (process.env['UPDATE_FIXTURES'] && written !== text) await writeFile(page, text);
  expect(written).toBe(text);
});

async function section(service: string, decided: ReadonlySet<string>): Promise<string> {
  const own = settingsIn(await readFile(`apps/${service}/src/${service}.config.ts`, 'utf8'));
  const alone = `apps/${service}/src/standalone.config.ts`;
  const more = existsSync(alone) ? settingsIn(await readFile(alone, 'utf8')) : [];
  expect(own).not.toEqual([]);
  return [
    `## ${service}`,
    table(own, decided),
    ...(more.length === 0 ? [] : ['And as a process of its own, without `tink up`:', table(more, new Set())]),
  ].join('\n\n');
}

function table(settings: readonly Setting[], decided: ReadonlySet<string>): string {
  const rows = settings.map(({ name, usual, about }) => {
    const mark = decided.has(name) ? ' *' : '';
    return `| \`${name}\`${mark} | ${usual === '' ? 'none' : `\`${usual}\``} | ${about.replaceAll('|', '\\|')} |`;
  });
  return ['| setting | default | meaning |', '| --- | --- | --- |', ...rows].join('\n');
}

/** Class members with their comments. */
function settingsIn(source: string): readonly Setting[] {
  return descendants(parsed(source)).flatMap((node) => {
    if (!ts.isPropertyDeclaration(node) || !node.initializer) return [];
    const value = node.initializer;
    const text = ts.isStringLiteral(value) ? value.text : value.getText().replaceAll('_', '');
    return {
      name: node.name.getText(),
      usual: text === 'usualProgramFolders' ? '.cache/…, by setup' : text,
      about: ts
        .getJSDocCommentsAndTags(node)
        .map(({ comment }) => ts.getTextOfJSDocComment(comment) ?? '')
        .join(' ')
        .replace(/\s+/g, ' '),
    };
  });
}

/** What it gives to `loadConfig` beside the environment, unless it asks the environment for it, or does so under a condition only. */
function decidedByUp(source: string): ReadonlySet<string> {
  const given = descendants(parsed(source)).filter(ts.isPropertyAssignment);
  const names = given.filter((node) => !isConditional(node)).map((node) => node.name.getText());
  return new Set(names.filter((name) => !source.includes(`env['${name}']`)));
}

function isConditional(node: ts.Node): boolean {
  if (ts.isConditionalExpression(node.parent)) return true;
  return !ts.isBlock(node.parent) && !ts.isSourceFile(node.parent) && isConditional(node.parent);
}

function parsed(source: string): ts.SourceFile {
  return ts.createSourceFile('settings.ts', source, ts.ScriptTarget.Latest, true);
}

function descendants(node: ts.Node): readonly ts.Node[] {
  const found: ts.Node[] = [];
  ts.forEachChild(node, (child) => void found.push(child, ...descendants(child)));
  return found;
}
