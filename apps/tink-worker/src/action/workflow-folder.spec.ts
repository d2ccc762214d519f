import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
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
    for (const name of ['failure-reason', 'failure-message', 'reboot']) writeFileSync(at(name), 'x');
    expect([await folder.failureText(), await folder.wantsReboot()]).toEqual(['x: x', true]);
    await folder.prepare('{"a":2}');
    expect(readFileSync(at('data'), 'utf8')).toBe('{"a":2}');
    expect([await folder.failureText(), await folder.wantsReboot()]).toEqual(['', false]);
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
