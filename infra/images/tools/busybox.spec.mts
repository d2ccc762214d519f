import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { busyboxCommands } from './busybox.mjs';

const program = '/bin/busybox';

it.skipIf(!existsSync(program))('reads from a busybox what it would list itself', () => {
  const listed = execFileSync(program, ['--list'], { encoding: 'utf8' }).trim().split('\n');
  expect(busyboxCommands(readFileSync(program))).toEqual(listed);
});

it('refuses a program that is no busybox', () =>
  expect(() => busyboxCommands(Buffer.from('\x7fELF\0nothing\0'))).toThrow('no table of its commands'));
