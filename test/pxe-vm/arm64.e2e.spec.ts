import { existsSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { buildArtefacts } from '../demo/src/artefacts';
import type { MachineRun } from '../demo/src/machine-run';
import type { Firmware } from './machine';
import { orderOneAction } from './one-action';
import { until } from './run';
import { useSite } from './site';

const missing = ['/dev/net/tun', '/usr/bin/qemu-system-aarch64', '/usr/share/AAVMF/AAVMF_CODE.fd'].filter(
  (file) => !existsSync(file),
);
const cannot = process.getuid?.() !== 0 ? ['root'] : missing;

/** Software emulation is slow and the host is noisy: three times what a quiet run takes. */
const patience = 400_000;

describe.skipIf(cannot.length > 0)(
  `an arm64 machine${cannot.length > 0 ? ` (missing: ${cannot.join(', ')})` : ''}`,
  () => {
    const site = useSite('arm64', async () => {
      await buildArtefacts('small', () => undefined, ['x86_64', 'aarch64']);
    });

    const powerOn = async (n: number, firmware: Firmware): Promise<MachineRun> => {
      const hostname = `arm-${n}`;
      const hardwareId = `0eba0bf8-3772-4b4a-ab9f-6ebe93b90b0${n}`;
      const machine = { hardwareId, hostname, mac: `52:54:00:99:01:0${n}`, ip: `10.99.0.2${n}`, uefi: true };
      const place = { dir: site.dir, server: site.lab.address, arch: 'aarch64' };
      return site.powerOn(machine, await orderOneAction(site.provisioner, machine, place), firmware);
    };

    it('runs an action in a container, started by the HTTP boot of its UEFI firmware', async () => {
      const run = await powerOn(1, 'arm64-http');
      await until(() => run.story.steps.some(({ name }) => name === 'workflow'), patience);
      expect(run.story.steps.at(-1)?.detail).toBe('succeeded');
      const offers = run.events.flatMap(({ event }) => (event.type === 'NetbootOffered' ? [event.data] : []));
      expect(offers[0]).toMatchObject({ client: 'HTTPClient', arch: 19 });
      expect(offers[0]?.bootFile).toMatch(/^http:.*snp-arm64\.efi$/);
      expect(run.story.steps.map(({ detail }) => detail.split(' ')[0])).toEqual(
        expect.arrayContaining(['vmlinuz-aarch64', 'initramfs-aarch64', 'rootfs-aarch64']),
      );
    }, 900_000);

    // What follows is the same as above.
    it('gets its iPXE and its kernel through UEFI PXE', async () => {
      const run = await powerOn(2, 'arm64');
      await until(() => run.story.steps.some(({ name }) => name === 'kernel'), patience);
      const offers = run.events.flatMap(({ event }) => (event.type === 'NetbootOffered' ? [event.data] : []));
      expect(offers[0]).toMatchObject({ client: 'PXEClient', arch: 11, bootFile: 'snp-arm64.efi' });
    }, 900_000);
  },
);
