import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { SettingFileError } from '../setting-file-error';
import { describeDhcpFile, faultsOfDhcpFile, readDhcpFile } from './dhcp-file';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'dhcp-file-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

describe('a DHCP file', () => {
  it('is described in short', async () => {
    const file = join(folder, 'dhcp.yaml');
    await writeFile(
      file,
      `
classes: [{ name: uefi, arch: [7] }, { name: idle, arch: [9] }]
subnets:
  - subnet: 10.1.0.0/24
    name: lab
    sharedNetwork: wire
    pools: [{ ranges: [10.1.0.10-10.1.0.19], classes: [uefi] }]
  - { subnet: 10.2.0.0/24, mode: "off" }
  - { subnet: "fd99::/64", range: "fd99::a000/116" }
`,
    );
    expect(describeDhcpFile(await readDhcpFile(file))).toEqual([
      'class uefi',
      'class idle: no pool is for it, and it sets no option',
      'subnet lab: 10.1.0.0/24, pool, on wire',
      '  pool lab: 10 addresses, for uefi',
      'subnet 10.2.0.0/24: 10.2.0.0/24, off',
      'subnet fd99::/64: IPv6, pool',
      '  pool fd99::/64: 4096 addresses',
    ]);
  });
  it('that is not there is told of by its name', async () => {
    const error = await readDhcpFile(join(folder, 'none.yaml')).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(SettingFileError);
    expect(String(error)).toContain(`${join(folder, 'none.yaml')} cannot be read: there is no such file`);
  });
  it('that cannot be used has faults with their places; one that cannot be read has one without', async () => {
    const faultsOf = async (file: string) => {
      const error = await readDhcpFile(file).catch((thrown: unknown) => thrown);
      return error instanceof SettingFileError ? faultsOfDhcpFile(file, error) : [];
    };
    const file = join(folder, 'dhcp.yaml');
    await writeFile(file, 'subnets:\n  - subnet: 10.1.0.0/24\n    mode: pond\n    name: [a]\n');
    expect(await faultsOf(file)).toMatchObject([
      {
        file,
        line: 3,
        column: 11,
        path: 'subnets[0].mode',
        message: expect.stringContaining('must be one of') as string,
      },
      { file, line: 4, column: 11, path: 'subnets[0].name' },
    ]);
    const none = join(folder, 'none.yaml');
    expect(await faultsOf(none)).toMatchObject([
      {
        ...{ file: none, line: null, column: null, path: '' },
        message: `BOOTS_DHCP_FILE: ${none} cannot be read: there is no such file`,
      },
    ]);
    expect(await faultsOf(folder)).toMatchObject([
      { message: `BOOTS_DHCP_FILE: ${folder} cannot be read: it is a folder` },
    ]);
  });
});
