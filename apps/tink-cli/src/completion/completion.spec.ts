import { spawnSync } from 'node:child_process';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { commands } from '../command-table';
import { FakeTinkServer } from '../testing/fake-tink-server';
import { runTink } from '../testing/run-tink';
import {
  actionRow,
  hardwareId,
  hardwareItem,
  templateId,
  templateItem,
  workflowId,
  workflowItem,
} from '../testing/samples';
import { scripts, shells } from './scripts';

let fake: FakeTinkServer;
let server: string;
beforeEach(async () => {
  fake = new FakeTinkServer();
  server = await fake.start();
  fake
    .on('GET /api/hardware', { json: [hardwareItem()] })
    .on('GET /api/templates', { json: [templateItem()] })
    .on('GET /api/workflows', { json: [workflowItem()] })
    .on(`GET /api/workflows/${workflowId}`, { json: workflowItem() });
});
afterEach(() => fake.close());

const complete = async (...words: readonly string[]) =>
  (await runTink(['__complete', ...words], { server })).out
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => line.split('\t')[0]);

describe('completion', () => {
  it.each([
    [['work'], ['workflow', 'worker']],
    [['-f', 'onprem', 'lea'], ['lease']],
    [
      ['hardware', ''],
      ['push', 'list', 'get', 'id', 'mac', 'ip', 'delete', 'rescue', 'watch'],
    ],
    [['events', 'w'], ['watch']],
    [['workflow', 'create', '--te'], ['--template']],
    [['hardware', 'list', '-o', 'j'], ['json']],
    [['hardware', 'list', '--output=y'], ['--output=yaml']],
    [['events', '--type', 'ActionF'], ['ActionFailed']],
    [
      ['completion', ''],
      ['bash', 'zsh', 'fish', 'powershell'],
    ],
    [
      ['docs', 'm'],
      ['markdown', 'man'],
    ],
    [['template', 'create', '-p', ''], [':files']],
    [['docs', 'man', '--path', ''], [':folders']],
    [['hardware', 'get', ''], [hardwareId]],
    [['hardware', 'get', hardwareId, '0e'], [hardwareId]],
    [['hardware', 'mac', '08:'], ['08:00:27:00:00:01']],
    [['hardware', 'ip', ''], ['192.168.1.5']],
    [['machine', 'get', ''], ['server001']],
    [['events', '--machine=s'], ['--machine=server001']],
    [['workflow', 'create', '-t', ''], [templateId]],
    [['workflow', 'create', '-t', templateId, ''], []],
    [['logs', ''], [workflowId]],
    [['logs', '-f', workflowId, 'w'], ['write-image']],
    [['workflow', 'retry', workflowId, '--from', 'w'], ['write-image']],
    [['workflow', 'retry', workflowId, '--from=d'], ['--from=disk-wipe']],
    [
      ['workflow', 'skip', workflowId, ''],
      ['disk-wipe', 'write-image', 'reboot'],
    ],
    [['workflow', 'approve', workflowId, ''], []],
    [
      ['workflow', 'resolve', workflowId, 'disk-wipe', '--as', 're'],
      ['restart', 'resume'],
    ],
    [['workflow', 'list', '--status', 'c'], ['cancelled']],
    [['worker', 'token', hardwareId, ''], []],
    [['up', '--'], []],
    [['nonsense', ''], []],
  ])('%j', async (words, found) => expect(await complete(...words)).toEqual(found));

  it('offers to approve only what awaits approval, by its id when its name is not its own', async () => {
    const actions = [
      actionRow({ task: 'a', name: 'wipe', status: 'awaiting-approval' }),
      actionRow({ task: 'b', name: 'wipe', status: 'unknown' }),
    ];
    fake.on(`GET /api/workflows/${workflowId}`, { json: workflowItem({ actions }) });
    expect(await complete('workflow', 'approve', workflowId, '')).toEqual(['a/wipe']);
    expect(await complete('workflow', 'resolve', workflowId, '')).toEqual(['b/wipe']);
  });

  it('says what each candidate is', async () => {
    expect((await runTink(['__complete', 'logs', ''], { server })).out).toBe(`${workflowId}\tinstall running\n`);
  });

  it('asks the server that the line names, and is silent when there is none', async () => {
    expect((await runTink(['__complete', '--server', server, 'template', 'get', ''])).out).toContain(templateId);
    expect(await runTink(['__complete', 'template', 'get', ''], { server: 'http://127.0.0.1:1' })).toEqual({
      code: 0,
      out: '',
      err: '',
    });
    expect(await runTink(['__complete', 'template', 'get', ''], { server: 'nonsense' })).toEqual({
      code: 0,
      out: '',
      err: '',
    });
  });

  it('offers every command and every flag of the table', async () => {
    for (const { name, hidden, flags, passThrough } of commands) {
      const words = name.split(' ');
      if (!hidden) expect(await complete(...words)).toContain(words.at(-1));
      if (!hidden && !passThrough) {
        const offered = await complete(...words, '--');
        for (const flag of Object.keys(flags)) expect(offered).toContain(`--${flag}`);
      }
    }
  });

  it('has a script for each shell that the shell can read', async () => {
    for (const shell of shells) {
      expect((await runTink(['completion', shell])).out).toBe(scripts[shell]);
      if (shell === 'powershell') continue;
      const checked = spawnSync(shell, ['-n'], { input: scripts[shell], encoding: 'utf8' });
      if (checked.error) console.warn(`${shell} is not installed: its completion script was not checked`);
      else expect(checked).toMatchObject({ status: 0, stderr: '' });
    }
    expect((await runTink(['completion', 'tcsh'])).code).toBe(2);
  });
});
