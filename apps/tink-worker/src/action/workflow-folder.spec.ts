import { execFileSync } from 'node:child_process';
import {
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { UnusableFileError, WorkflowFolder } from './workflow-folder';

describe('workflow folder', () => {
  let base = '';
  beforeEach(() => {
    base = mkdtempSync(join(tmpdir(), 'tink-folder-'));
  });
  afterEach(() => rmSync(base, { recursive: true, force: true }));
  const at = (name: string) => join(base, 'wf', name);

  it('holds the latest data and forgets what the last attempt answered', async () => {
    const folder = new WorkflowFolder(base, 'wf');
    await folder.prepare('{"a":1}');
    for (const name of ['failure-reason', 'failure-message', 'reboot', 'outputs.json']) writeFileSync(at(name), 'x');
    expect([await folder.failureText(), await folder.wantsReboot()]).toEqual(['x: x', true]);
    expect(await folder.readOutputs(10)).toBe('x');
    await folder.prepare('{"a":2}');
    expect(readFileSync(at('data'), 'utf8')).toBe('{"a":2}');
    expect([await folder.failureText(), await folder.wantsReboot()]).toEqual(['', false]);
    expect(await folder.readOutputs(10)).toBeUndefined();
  });

  it('puts data in place even where an action left a link or a folder', async () => {
    const folder = new WorkflowFolder(base, 'wf');
    mkdirSync(join(base, 'wf'));
    writeFileSync(join(base, 'victim'), 'untouched');
    symlinkSync(join(base, 'victim'), at('data'));
    await folder.prepare('{}');
    expect(readFileSync(join(base, 'victim'), 'utf8')).toBe('untouched');
    rmSync(at('data'));
    mkdirSync(at('data'));
    await folder.prepare('{}');
    expect(await folder.readData(10)).toBe('{}');
  });

  it('of one action alone goes when that has ended, what is shared stays', async () => {
    const [common, own] = [new WorkflowFolder(base, 'wf'), new WorkflowFolder(base, 'wf', 'wf_1_1')];
    await common.prepare('{}');
    writeFileSync(at('outputs.json'), '{"a":1}');
    writeFileSync(at('shared/note'), 'kept');
    await own.prepare('{"b":2}');
    expect(await common.readOutputs(10)).toBe('{"a":1}');
    expect(await own.readOutputs(10)).toBeUndefined();
    expect(await own.readData(10)).toBe('{"b":2}');
    expect(common.binds).toEqual([`${base}/wf:/workflow`]);
    expect(own.binds).toEqual([`${base}/wf_1_1:/workflow`, `${base}/wf/shared:/workflow/shared`]);
    await own.close();
    await common.close();
    expect(existsSync(join(base, 'wf_1_1'))).toBe(false);
    expect(readFileSync(at('shared/note'), 'utf8')).toBe('kept');
  });

  it('shares a folder of its own, not what an action put in its place', async () => {
    mkdirSync(join(base, 'wf'));
    symlinkSync('/etc', at('shared'));
    await new WorkflowFolder(base, 'wf').prepare('{}');
    expect(lstatSync(at('shared')).isDirectory()).toBe(true);
  });

  it('hides what it is told to hide before it shortens a text', async () => {
    const folder = new WorkflowFolder(base, 'wf');
    await folder.prepare('{}');
    writeFileSync(at('failure-message'), 'pw: two  words\n');
    expect(await folder.failureText((text) => text.replace('two  words', '***'))).toBe('pw: ***');
  });

  it('refuses links, folders, FIFOs and files that are too long, by name', async () => {
    const folder = new WorkflowFolder(base, 'wf');
    mkdirSync(join(base, 'wf'));
    expect(await folder.readData(10)).toBeUndefined();
    writeFileSync(at('data'), '12345678901');
    await expect(folder.readData(10)).rejects.toThrow('/workflow/data has 11 bytes, more than the 10 allowed');
    rmSync(at('data'));
    symlinkSync('/dev/zero', at('data'));
    await expect(folder.readData(10)).rejects.toThrow(UnusableFileError);
    rmSync(at('data'));
    execFileSync('mkfifo', [at('data')]);
    await expect(folder.readData(10)).rejects.toThrow('/workflow/data is not a plain file');
    rmSync(at('data'));
    mkdirSync(at('data'));
    await expect(folder.readData(10)).rejects.toThrow('/workflow/data is not a plain file');
  });

  it('puts the reason before the message, on one line', async () => {
    const folder = new WorkflowFolder(base, 'wf');
    await folder.prepare('{}');
    writeFileSync(at('failure-message'), ' no disk\n named sda \n');
    expect(await folder.failureText()).toBe('no disk named sda');
    writeFileSync(at('failure-reason'), 'DiskNotFound\n');
    expect(await folder.failureText()).toBe('DiskNotFound: no disk named sda');
  });
});
