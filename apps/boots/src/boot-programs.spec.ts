import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { BootPrograms } from './boot-programs';

const dir = mkdtempSync(join(tmpdir(), 'programs-'));
const [ipxe, shim, grub] = ['ipxe', 'shim', 'grub'].map((name) => join(dir, name)) as [string, string, string];
for (const folder of [ipxe, shim, grub]) mkdirSync(folder);
writeFileSync(join(ipxe, 'ipxe-amd64.efi'), 'iPXE');
writeFileSync(join(shim, 'shimx64.efi.signed'), 'shim');
writeFileSync(join(grub, 'grubx64.efi.signed'), 'GRUB for a disk');
writeFileSync(join(grub, 'grubnetx64.efi.signed'), 'GRUB for a network');
symlinkSync(join(shim, 'shimx64.efi.signed'), join(grub, 'outside.efi'));
afterAll(() => rmSync(dir, { recursive: true }));

describe('boot programs', () => {
  const programs = new BootPrograms(`${ipxe}:${shim}:${join(dir, 'absent')}:${grub}`);
  const found = async (name: string) => basename((await programs.find(name))?.path ?? 'none');

  it.each([
    ['ipxe.efi', 'ipxe-amd64.efi'],
    ['shimx64.efi', 'shimx64.efi.signed'],
    ['grubx64.efi', 'grubnetx64.efi.signed'],
    ['undionly.kpxe', 'none'],
  ])('%s is %s, whichever folder has it', async (name, file) => expect(await found(name)).toBe(file));

  it('takes no link from one folder into another', async () => expect(await found('outside.efi')).toBe('none'));

  it('has none without a folder', async () => expect(await new BootPrograms('').find('ipxe.efi')).toBeUndefined());

  it('prefers the name that was asked for, and the earlier folder', async () => {
    writeFileSync(join(grub, 'ipxe.efi'), 'own');
    writeFileSync(join(shim, 'shimx64.efi'), 'own');
    expect(await found('ipxe.efi')).toBe('ipxe.efi');
    expect(await found('shimx64.efi')).toBe('shimx64.efi');
  });
});
