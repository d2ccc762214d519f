import type { AnyEvent } from '@tinkerbell/events';
import { existsSync } from 'node:fs';
import { buildArtefacts, type Artefacts } from '../demo/src/artefacts';
import type { MachineRun } from '../demo/src/machine-run';
import { order, type Scenario } from '../demo/src/scenario';
import type { Firmware } from './machine';
import { useSite, type Site } from './site';

const missing = ['/dev/net/tun', '/usr/bin/qemu-system-x86_64', '/usr/share/OVMF/OVMF_CODE_4M.fd'].filter(
  (file) => !existsSync(file),
);
/** What this machine lacks for a site to provision a machine. */
export const cannotProvision = process.getuid?.() !== 0 ? ['root'] : missing;

/** Software emulation is slow and the host is noisy: six times what a quiet run takes. */
export const patience = 480_000;

type Plan = Omit<Scenario, 'imageFile'>;

export const scenario = (n: number, more: Partial<Scenario> = {}): Plan => ({
  hardwareId: `0eba0bf8-3772-4b4a-ab9f-6ebe93b90a0${n}`,
  mac: `52:54:00:99:00:0${n}`,
  ip: `10.99.0.1${n}`,
  hostname: `node-${n}`,
  uefi: false,
  template: '1.0',
  disk: '/dev/vda',
  isMachine: true,
  ...more,
});

export interface ProvisioningSite {
  readonly site: Site;
  /** Orders it, and switches the machine on. */
  provision(firmware: Firmware, plan: Plan): Promise<MachineRun>;
}

/** A site whose provisioner has the small image to write. */
export function useProvisioningSite(name: string): ProvisioningSite {
  let artefacts: Artefacts;
  const site = useSite(name, async () => {
    artefacts = await buildArtefacts('small', () => undefined);
  });
  return {
    site,
    async provision(firmware, plan) {
      const full = { ...plan, imageFile: artefacts.image };
      const workflowId = await order(site.provisioner, full, site.dir, site.lab.address, () => undefined);
      return site.powerOn(full, workflowId, firmware);
    },
  };
}

export const names = (run: MachineRun) => run.story.steps.map(({ name }) => name);

export const events = <T extends AnyEvent['type']>(run: MachineRun, type: T) =>
  run.events.flatMap(({ event }) => (event.type === type ? [event as Extract<AnyEvent, { readonly type: T }>] : []));

export const scripts = (run: MachineRun, mac: string) =>
  run.events.flatMap(({ event }) =>
    event.type === 'BootScriptServed' && event.data.mac === mac.replaceAll(':', '-') ? [event.data.script] : [],
  );
