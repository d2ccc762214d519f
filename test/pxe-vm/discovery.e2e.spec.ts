// A machine that nobody registered: from its first DISCOVER to the hardware record that its own report makes.
import { existsSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { buildArtefacts } from '../demo/src/artefacts';
import { startProvisioner, type Provisioner } from '../demo/src/provisioner';
import { createLab, type Lab } from './lab';
import { type Machine, powerOn } from './machine';

const missing = ['/dev/net/tun', '/usr/bin/qemu-system-x86_64'].filter((file) => !existsSync(file));
const cannot = process.getuid?.() !== 0 ? ['root'] : missing;

/** Software emulation is slow and the host is noisy. */
const patience = 480_000;
const mac = '52:54:00:95:00:01';

describe.skipIf(cannot.length > 0)(
  `a machine that nobody registered${cannot.length > 0 ? ` (missing: ${cannot.join(', ')})` : ''}`,
  () => {
    let dir = '';
    let lab: Lab;
    let provisioner: Provisioner;
    let machine: Machine;

    beforeAll(async () => {
      await buildArtefacts('small', () => undefined);
      dir = await mkdtemp(join(tmpdir(), 'tinkerbell-discovery-'));
      lab = await createLab(`tink-discovery-${process.pid}`);
      const subnets = join(dir, 'dhcp.yaml');
      const pools = 'pools: [{ ranges: [10.99.0.100-10.99.0.109] }]';
      await writeFile(subnets, `subnets: [{ subnet: 10.99.0.0/24, router: 10.99.0.1, discovery: true, ${pools} }]\n`);
      const env = { BOOTS_DHCP_FILE: subnets };
      provisioner = await startProvisioner(lab, { dir, dataDir: join(dir, 'data'), env });
      machine = await powerOn(lab, { name: 'unknown', firmware: 'bios', mac, dir, cpus: 2 });
    }, 600_000);

    afterAll(async () => {
      await machine?.off();
      await provisioner?.close();
      await lab?.close();
      await rm(dir, { recursive: true, force: true });
    }, 60_000);

    it('tells what it is made of, and is switched off', async () => {
      await machine.waitFor(/Tinkerbell: looking at what this machine is made of/, patience);
      await machine.waitFor(/OSIE: t=\S+ discovery reported 2 CPUs, 1 disks, 1 interfaces/, patience);
      // The power goes, and QEMU with it.
      await expect(machine.waitFor(/nothing that it would say/, patience)).rejects.toThrow(/QEMU ended \(0\)/);
      const [seen] = JSON.parse(await provisioner.tink('machine', 'list', '--output', 'json')) as readonly {
        id: string;
        registered: boolean;
        steps: readonly { step: string; detail: string }[];
      }[];
      expect(seen).toMatchObject({ mac, registered: false, step: 'osie' });
      expect(seen?.steps.at(-1)?.detail).toMatch(/^discovered: QEMU /);
      const trace = await provisioner.tink('boot', 'show', mac);
      for (const step of [
        /dhcp +iPXE gets/,
        /http +vmlinuz-x86_64/,
        /http +initramfs-x86_64/,
        /kernel +started/,
        /osie +up for/,
      ])
        expect(trace).toMatch(step);
      expect(await provisioner.tink('machine', 'logs', mac)).toContain('Linux version');
    }, 900_000);

    it('becomes registered hardware by its own report', async () => {
      const text = await provisioner.tink('machine', 'record', mac);
      const record = JSON.parse(text) as { id: string; metadata: unknown };
      expect(record.metadata).toMatchObject({
        discovered: { cpus: 2, disks: [{ name: 'vda', bytes: 1024 ** 3, serial: 'unknown' }] },
      });
      const file = join(dir, 'record.json');
      await writeFile(file, text);
      await provisioner.tink('hardware', 'push', '--file', file);
      expect(await provisioner.tink('hardware', 'mac', mac)).toContain(record.id);
    }, 60_000);
  },
);
