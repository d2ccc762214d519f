import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { commands } from './command-table';
import { markdownReference } from './commands/docs.command';
import { commandHelp, groupHelp, groups, rootHelp } from './help';
import { runTink } from './testing/run-tink';
import { version } from './version';

const fixtures = join(__dirname, '..', 'fixtures', 'help');
const docs = join(__dirname, '..', '..', '..', 'docs', 'cli.md');
const updating = process.env['UPDATE_FIXTURES'] === '1';

/** What the file holds; UPDATE_FIXTURES=1 rewrites it, and still fails the run when that changed something. */
function changeOf(path: string, text: string): { path: string; text: string } {
  const before = existsSync(path) ? readFileSync(path, 'utf8') : '';
  if (updating && before !== text) {
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, text);
  }
  return { path, text: before };
}

/** One-line descriptions of the original's commands, which people grep for. */
const { cli: original } = JSON.parse(
  readFileSync(join(__dirname, '..', '..', 'tink-server', 'fixtures', 'crud-seed.json'), 'utf8'),
) as { readonly cli: { readonly help_contains: Readonly<Record<string, string>> } };

describe('help', () => {
  it.each(Object.entries(original.help_contains))('tink %s --help says "%s"', async (name, line) => {
    for (const flag of ['--help', '-h']) {
      const ran = await runTink([...name.split(' '), flag]);
      expect(ran).toMatchObject({ code: 0, err: '' });
      expect(ran.out).toContain(line);
    }
  });

  it.each([
    ['events watch', '-m, --from MINUTES .*\\(default 5\\)'],
    ['workflow data', '-l, --latest-version .*\\(also --"latest version"\\)'],
  ])('tink %s --help shows defaults and spellings of the original: %s', async (name, line) =>
    expect((await runTink([...name.split(' '), '--help'])).out).toMatch(new RegExp(line)),
  );

  it('is what it was', () => {
    const texts = [
      ['tink', rootHelp(commands)],
      ...Object.keys(groups).map((group) => [`tink ${group}`, groupHelp(group, commands)]),
      ...commands
        .filter(({ name }) => name !== '__complete')
        .map((command) => [`tink ${command.name}`, commandHelp(command)]),
    ];
    // `tink events` is a group and a command; the group's page is the one that is shown.
    const shown = texts.filter(([name = '', text = '']) => name !== 'tink events' || text.includes('Commands:'));
    const wanted = shown.map(([name = '', text = '']) => ({
      path: join(fixtures, `${name.replaceAll(' ', '-')}.txt`),
      text: `${text}
`,
    }));
    expect(wanted.map(({ path, text }) => changeOf(path, text))).toEqual(wanted);
  });

  it('fits a terminal of 120 columns, has examples, and says what each flag is', () => {
    for (const command of commands.filter(({ hidden }) => !hidden)) {
      for (const line of commandHelp(command).split('\n')) expect(line.length).toBeLessThanOrEqual(130);
      expect(command.examples.length).toBeGreaterThan(0);
      for (const { about } of Object.values(command.flags)) expect(about).not.toBe('');
    }
  });

  it('shows only examples whose flags exist', async () => {
    const lines = commands
      .flatMap(({ examples }) => examples)
      .flatMap((example) => /(?:^|\| |<\()tink ([^|>)]*)/.exec(example)?.[1] ?? []);
    expect(lines.length).toBeGreaterThan(30);
    for (const line of lines) {
      if (line.startsWith('up')) continue;
      const args = [...line.trim().matchAll(/'([^']*)'|(\S+)/g)].map(([, quoted, bare]) => quoted ?? bare ?? '');
      expect({ line, err: (await runTink([...args, '--help'])).err }).toEqual({ line, err: '' });
    }
  });
});

describe('docs/cli.md', () => {
  it('has every command as the program has it', () => {
    const text = readFileSync(docs, 'utf8');
    const [head = ''] = text.split('## Reference\n');
    const wanted = `${head}## Reference\n\n${markdownReference(commands)}\n`;
    expect(changeOf(docs, wanted).text).toBe(wanted);
  });
});

describe('tink docs', () => {
  it.each([
    ['markdown', 'out/tink_hardware_push.md', '## tink hardware push'],
    ['man', 'out/tink-hardware-push.1', '.B \\-\\-file FILE'],
  ])('%s writes one page per command', async (kind, path, text) => {
    const files: Record<string, string> = {};
    expect((await runTink(['docs', kind, '-p', 'out'], { files })).code).toBe(0);
    expect(Object.keys(files)).toHaveLength(commands.filter(({ hidden }) => !hidden).length);
    expect(files[path]).toContain(text);
  });

  it('refuses another format', async () => expect((await runTink(['docs', 'pdf'])).code).toBe(2));
});

describe('version', () => {
  it("is the workspace's", () => {
    const { version: workspace } = JSON.parse(
      readFileSync(join(__dirname, '..', '..', '..', 'package.json'), 'utf8'),
    ) as { version: string };
    expect(version).toBe(workspace);
  });
});
