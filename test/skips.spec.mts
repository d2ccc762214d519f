import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import { judgeSkips, mayBeSkipped } from './skips.mjs';

const report = (...assertionResults: readonly { status: string; fullName: string }[]) => ({
  testResults: [{ assertionResults }],
});

describe('skipped tests', () => {
  it('are allowed only by name', () =>
    expect(
      judgeSkips(
        report(
          { status: 'passed', fullName: 'a runs' },
          { status: 'skipped', fullName: 'a needs vfat' },
          { status: 'pending', fullName: 'a needs dnsmasq' },
          { status: 'todo', fullName: 'a is not written' },
        ),
        [{ name: 'a needs vfat', why: 'no vfat' }],
      ),
    ).toEqual({
      allowed: [{ name: 'a needs vfat', why: 'no vfat' }],
      unexpected: ['a needs dnsmasq', 'a is not written'],
    }));

  it('of the list exist', () => {
    for (const { name, file } of mayBeSkipped) {
      const source = readFileSync(file, 'utf8');
      const words = name.split(' ');
      const titles = words.map((_, from) => `'${words.slice(from).join(' ')}'`);
      expect(titles).toSatisfy((all: readonly string[]) => all.some((title) => source.includes(title)));
    }
  });

  it("are called what vitest's report calls them", { timeout: 60_000 }, () => {
    mkdirSync('.cache', { recursive: true });
    const dir = mkdtempSync(resolve('.cache/skips-'));
    try {
      const config = join(dir, 'vitest.config.mjs');
      const spec =
        "import { describe, it } from 'vitest'; describe.skip('all', () => it('of it', () => undefined)); it.skipIf(true)('one', () => undefined); it('runs', () => undefined);";
      writeFileSync(join(dir, 'x.spec.mjs'), spec);
      writeFileSync(config, 'export default { test: { include: ["x.spec.mjs"] } };');
      const out = join(dir, 'report.json');
      const args = ['run', '--root', dir, '--config', config, '--reporter=json', `--outputFile=${out}`];
      const own = Object.entries(process.env).filter(([name]) => !name.startsWith('VITEST'));
      spawnSync('node_modules/.bin/vitest', args, { stdio: 'ignore', env: Object.fromEntries(own) });
      expect(judgeSkips(JSON.parse(readFileSync(out, 'utf8')))).toEqual({
        allowed: [],
        unexpected: ['all of it', 'one'],
      });
    } finally {
      rmSync(dir, { recursive: true });
    }
  });
});
