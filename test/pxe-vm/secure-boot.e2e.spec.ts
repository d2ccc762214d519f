import { existsSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { startProvisioner, type Provisioner } from '../demo/src/provisioner';
import { hardwareJson } from '../demo/src/scenario';
import { createLab, type Lab } from './lab';
import { powerOn, type Machine } from './machine';

const missing = ['/dev/net/tun', '/usr/bin/qemu-system-x86_64', '/usr/share/OVMF/OVMF_VARS_4M.ms.fd'].filter(
  (file) => !existsSync(file),
);
const cannot = process.getuid?.() !== 0 ? ['root'] : missing;

/** Software emulation is slow and the host is noisy: three times what a quiet run takes. */
const patience = 240_000;

describe.skipIf(cannot.length > 0)(
  `a machine with Secure Boot and Microsoft's keys${cannot.length > 0 ? ` (missing: ${cannot.join(', ')})` : ''}`,
  () => {
    let dir = '';
    let lab: Lab;
    let provisioner: Provisioner;
    const machines: Machine[] = [];

    beforeAll(async () => {
      dir = await mkdtemp(join(tmpdir(), 'tinkerbell-secure-'));
      lab = await createLab(`tink-secure-${process.pid}`);
      provisioner = await startProvisioner(lab, { dir, dataDir: join(dir, 'data') });
    }, 600_000);

    afterEach(async () => {
      for (const machine of machines.splice(0)) await machine.off();
    }, 60_000);

    afterAll(async () => {
      await provisioner?.close();
      await lab?.close();
      await rm(dir, { recursive: true, force: true });
    }, 60_000);

    /** `osie`: of the hardware record. */
    const powerOnWith = async (n: number, binary: string, osie = {}): Promise<Machine> => {
      const hostname = `secure-${n}`;
      const hardwareId = `0eba0bf8-3772-4b4a-ab9f-6ebe93b90c0${n}`;
      const described = { hardwareId, hostname, mac: `52:54:00:99:02:0${n}`, ip: `10.99.0.3${n}`, uefi: true, binary };
      const file = join(dir, `${hostname}.json`);
      const record = hardwareJson(described, lab.address);
      for (const { netboot } of record.network.interfaces) Object.assign(netboot, { osie });
      await writeFile(file, JSON.stringify(record));
      await provisioner.tink('hardware', 'push', '--file', file);
      const machine = await powerOn(lab, { name: hostname, firmware: 'uefi-secure', mac: described.mac, dir });
      machines.push(machine);
      return machine;
    };

    it('refuses an iPXE that nobody signed', async () => {
      const machine = await powerOnWith(1, '');
      await machine.waitFor(/NBP filename is ipxe\.efi/, patience);
      await machine.waitFor(/Access Denied/, patience);
      expect(machine.console()).not.toContain('iPXE initialising');
    }, 600_000);

    it("starts the kernel through shim and GRUB, all with Debian's signatures, and OSIE's first program", async () => {
      // By TFTP, which is all that the signed GRUB has, the whole root file system takes minutes under emulation.
      const osie = { initrd: 'initramfs-x86_64', kernel_params: ['loglevel=7'] };
      const machine = await powerOnWith(2, 'shimx64.efi', osie);
      await machine.waitFor(/NBP filename is shimx64\.efi/, patience);
      await machine.waitFor(/Fetching Netboot Image grubx64\.efi/, patience);
      await machine.waitFor(/Welcome to GRUB!/, patience);
      await machine.waitFor(/secureboot: Secure boot enabled/, patience);
      await machine.waitFor(/OSIE: t=\S+ no root\.sqfs/, patience);
    }, 600_000);
  },
);
