import { describe, expect, it } from 'vitest';
import { FakeTinkServer } from './testing/fake-tink-server';
import { runTink } from './testing/run-tink';
import { define, type Args } from './cli-command';
import { globalFlags } from './help';
import { leadingFlags, parseArguments } from './parse-arguments';

const command = define({
  name: 'do it',
  summary: '',
  examples: [],
  positionals: { usage: '<id>', min: 1, max: 2 },
  flags: {
    follow: { kind: 'switch', short: 'f', about: '' },
    quiet: { kind: 'switch', short: 'q', about: '' },
    path: { kind: 'text', short: 'p', value: 'FILE', about: '' },
    type: { kind: 'list', short: 'r', value: 'TYPE', about: '' },
    minutes: { kind: 'number', short: 'm', value: 'N', about: '', default: 5 },
    tries: { kind: 'number', value: 'N', about: '', default: 1, min: 1, max: 9 },
  },
  run: () => Promise.resolve(0),
});
const parse = (...args: readonly string[]): Args => parseArguments(args, command, globalFlags).given;
const none = { follow: false, quiet: false, path: undefined, type: [], minutes: 5, tries: 1 };

describe('arguments', () => {
  it.each([
    [['x'], none],
    [['x', '-qf'], { ...none, follow: true, quiet: true }],
    [['-p', 'a', 'x'], { ...none, path: 'a' }],
    [['-pa', 'x'], { ...none, path: 'a' }],
    [['x', '--path=a=b'], { ...none, path: 'a=b' }],
    [['x', '--path', '-'], { ...none, path: '-' }],
    [['x', '--quiet=false'], none],
    [['x', '-r', 'a', '-r', 'b,c'], { ...none, type: ['a', 'b', 'c'] }],
    [['x', '-m', '15'], { ...none, minutes: 15 }],
    [['x', '--', '-p'], none],
  ])('%j', (args, flags) => {
    expect(parse(...args).flags).toEqual(flags);
  });

  it.each([
    [['x', '--pth', 'a'], 'unknown flag --pth of tink do it', 'did you mean --path?'],
    [['x', '--folow'], 'unknown flag --folow of tink do it', 'did you mean --follow?'],
    [['x', '-z'], 'unknown flag -z of tink do it', undefined],
    [['x', '--path'], '--path needs a value: --path FILE', undefined],
    [['x', '--path', '--quiet'], '--path needs a value: --path FILE', undefined],
    [['x', '-m', 'soon'], '-m is a whole number, got "soon"', undefined],
    [['x', '--tries', '0'], '--tries is a whole number from 1 to 9, got "0"', undefined],
    [['x', '--tries=10'], '--tries is a whole number from 1 to 9, got "10"', undefined],
    [['x', '--quiet=perhaps'], '--quiet takes no value, got "perhaps"', undefined],
    [[], 'tink do it needs <id>', undefined],
    [['1', '2', '3'], 'tink do it does not take "3"', 'usage: tink do it <id>'],
  ])('%j is refused', (args, message, hint) => {
    expect(() => parse(...args)).toThrow(
      expect.objectContaining({ message, ...(hint === undefined ? {} : { hint }) }) as Error,
    );
  });

  it('give a short name to the command that declares it, and to the global flag before the command', () => {
    expect(parse('x', '-f').flags['follow']).toBe(true);
    const { before, rest } = leadingFlags(['-f', 'onprem', '--server', 'http://x', 'do', 'it', '-f'], globalFlags);
    expect(before).toEqual(['-f', 'onprem', '--server', 'http://x']);
    expect(rest).toEqual(['do', 'it', '-f']);
  });
});

describe('a command line', () => {
  it.each([
    [['hardwrae', 'list'], 2, 'did you mean "tink hardware"?'],
    [['hardware', 'lst'], 2, 'did you mean "tink hardware list"?'],
    [['workflow', 'xyz'], 2, 'it is one of create, get, list, state, events, data, watch, cancel, '],
    [['event'], 2, 'did you mean "tink events"?'],
    [['--sever', 'x', 'version'], 2, 'did you mean --server?'],
    [['workflow', '--lsit'], 2, 'unknown flag --lsit of tink workflow'],
    [['events', '--type', 'nonsense'], 2, '--type does not know "nonsense"\nit is one of '],
    [['hardware', 'list', 'x'], 2, 'tink hardware list does not take "x"'],
    [['hardware', 'push', 'x'], 2, 'tink hardware push does not take "x"\nthe file is named with --file'],
    [['template', 'list', '--qiet'], 2, 'did you mean --quiet?'],
    [['template', 'list', '-o', 'jsn'], 2, 'did you mean json?'],
  ])('%j', async (args, code, message) => {
    const ran = await runTink(args);
    expect(ran).toMatchObject({ code, out: '' });
    expect(ran.err).toContain(message);
  });

  it('accepts -f/--facility everywhere, before and after the command', async () => {
    for (const args of [
      ['-f', 'onprem', 'version', '--client'],
      ['version', '--client', '--facility', 'onprem'],
      ['version', '-f', 'x', '--client'],
    ]) {
      expect((await runTink(args)).code).toBe(0);
    }
  });

  it('shows help for nothing, for a group, for a command, and through "help"', async () => {
    expect((await runTink([])).out).toContain('tink <command> [flags]');
    expect((await runTink(['hardware'])).out).toContain('tink hardware <command> [flags]');
    expect((await runTink(['help', 'workflow', 'watch'])).out).toBe(
      (await runTink(['workflow', 'watch', '--help'])).out,
    );
    expect((await runTink(['help', 'workflow'])).out).toBe((await runTink(['workflow', '-h'])).out);
    expect((await runTink(['--help', 'hardware', 'push'])).out).toBe((await runTink(['hardware', 'push', '-h'])).out);
  });

  it('gives up at once on Ctrl-C, also while it waits for an answer', async () => {
    const silent = new FakeTinkServer().on('GET /api/leases', { lines: [], follow: true });
    const stop = new AbortController();
    const server = await silent.start();
    const running = runTink(['lease', 'list'], { server, signal: stop.signal });
    await expect.poll(() => silent.asked.length).toBeGreaterThan(0);
    stop.abort();
    expect(await running).toEqual({ code: 130, out: '', err: '' });
    await silent.close();
  });

  it('says where it looked for a server that is not there', async () => {
    const ran = await runTink(['lease', 'list'], { server: 'http://127.0.0.1:1' });
    expect(ran.code).toBe(3);
    expect(ran.err).toBe(
      'Error: nothing listens at http://127.0.0.1:1\nhttp://127.0.0.1:1 comes from TINK_SERVER. Start the provisioner with "tink up", or name its server with --server URL or TINK_SERVER.\n',
    );
  });
});
