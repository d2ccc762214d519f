import { existsSync } from 'node:fs';
import { describe, expect, it, onTestFinished } from 'vitest';
import { buildArtefacts } from '../demo/src/artefacts';
import type { MachineRun } from '../demo/src/machine-run';
import { orderOneAction } from './one-action';
import { until } from './run';
import { useSite } from './site';

const missing = ['/dev/net/tun', '/usr/bin/qemu-system-x86_64', '/usr/share/OVMF/OVMF_VARS_4M.ms.fd'].filter(
  (file) => !existsSync(file),
);
const cannot = process.getuid?.() !== 0 ? ['root'] : missing;

/** Software emulation is slow and the host is noisy. */
const patience = 480_000;

describe.skipIf(cannot.length > 0)(
  `a machine with Secure Boot and Microsoft's keys${cannot.length > 0 ? ` (missing: ${cannot.join(', ')})` : ''}`,
  () => {
    const env = { BOOTS_KERNEL_ARGUMENTS: 'loglevel=7' };
    const site = useSite('secure', async () => void (await buildArtefacts('small', () => undefined)), { env });

    const powerOnWith = async (n: number, binary: string): Promise<MachineRun> => {
      const hardwareId = `0eba0bf8-3772-4b4a-ab9f-6ebe93b90c0${n}`;
      const described = { hardwareId, hostname: `secure-${n}`, mac: `52:54:00:99:02:0${n}`, ip: `10.99.0.3${n}` };
      const machine = { ...described, uefi: true, binary };
      const workflowId = await orderOneAction(site.provisioner, machine, { dir: site.dir, server: site.lab.address });
      return site.powerOn(machine, workflowId, 'uefi-secure');
    };

    it('refuses an iPXE that nobody signed', async () => {
      const { machine } = await powerOnWith(1, '');
      await machine.waitFor(/NBP filename is ipxe\.efi/, patience);
      await machine.waitFor(/Access Denied/, patience);
      expect(machine.console()).not.toContain('iPXE initialising');
    }, 600_000);

    it("runs an action in a container, started through shim and GRUB, all with Debian's signatures", async () => {
      const { machine, story, events } = await powerOnWith(2, 'shimx64.efi');
      await machine.waitFor(/NBP filename is shimx64\.efi/, patience);
      await machine.waitFor(/Fetching Netboot Image grubx64\.efi/, patience);
      // The console keeps every line of the kernel, however busy its reader is.
      const busy = setInterval(() => Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1000), 20);
      onTestFinished(() => clearInterval(busy));
      await machine.waitFor(/secureboot: Secure boot enabled/, patience);
      clearInterval(busy);
      await machine.waitFor(/OSIE: t=\S+ root file system from http:\S+rootfs-x86_64/, patience);
      await until(() => story.steps.some(({ name }) => name === 'workflow'), patience);
      expect(story.steps.at(-1)?.detail).toBe('succeeded');
      expect(machine.console()).toMatch(/Kernel is locked down from EFI Secure Boot/);
      const files = events.flatMap(({ event }) =>
        event.type === 'BootFileServed' ? [`${event.data.protocol} ${event.data.file}`] : [],
      );
      expect(files).toEqual([
        ...['tftp shimx64.efi', 'tftp grubx64.efi', 'tftp grub.cfg', 'tftp vmlinuz-x86_64'],
        ...['tftp initramfs-x86_64', 'tftp netroot-x86_64', 'http rootfs-x86_64'],
      ]);
    }, 900_000);
  },
);
