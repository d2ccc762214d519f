import { existsSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import type { AnyEvent, Recorded } from '@tinkerbell/events';
import type { LoggedMachineLine } from '@tinkerbell/messaging';
import { buildArtefacts, type Artefacts } from '../demo/src/artefacts';
import type { MachineRun } from '../demo/src/machine-run';
import { order, type Scenario } from '../demo/src/scenario';
import type { Firmware } from './machine';
import { until } from './run';
import { useSite } from './site';

const missing = ['/dev/net/tun', '/usr/bin/qemu-system-x86_64', '/usr/share/OVMF/OVMF_CODE_4M.fd'].filter(
  (file) => !existsSync(file),
);
const cannot = process.getuid?.() !== 0 ? ['root'] : missing;

/** Software emulation is slow and the host is noisy: six times what a quiet run takes. */
const patience = 480_000;

const scenario = (n: number, more: Partial<Scenario> = {}): Omit<Scenario, 'imageFile'> => ({
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

describe.skipIf(cannot.length > 0)(
  `a machine with an empty disk${cannot.length > 0 ? ` (missing: ${cannot.join(', ')})` : ''}`,
  () => {
    let artefacts: Artefacts;
    const site = useSite('e2e', async () => {
      artefacts = await buildArtefacts('small', () => undefined);
    });

    const provision = async (firmware: Firmware, plan: Omit<Scenario, 'imageFile'>): Promise<MachineRun> => {
      const full = { ...plan, imageFile: artefacts.image };
      const workflowId = await order(site.provisioner, full, site.dir, site.lab.address, () => undefined);
      return site.powerOn(full, workflowId, firmware);
    };

    const writesItsDisk = (run: MachineRun) =>
      until(
        () =>
          run.story.steps.some(({ name, detail }) => name === 'action write-image' && detail.startsWith('permitted')),
        patience,
      );

    const names = (run: MachineRun) => run.story.steps.map(({ name }) => name);
    const events = <T extends AnyEvent['type']>(run: MachineRun, type: T) =>
      run.events.flatMap(({ event }) =>
        event.type === type ? [event as Extract<AnyEvent, { readonly type: T }>] : [],
      );
    const scripts = (run: MachineRun, mac: string) =>
      run.events.flatMap(({ event }) =>
        event.type === 'BootScriptServed' && event.data.mac === mac.replaceAll(':', '-') ? [event.data.script] : [],
      );

    it('is provisioned through a BIOS iPXE ROM, and boots its own disk at every further reboot', async () => {
      const plan = scenario(1);
      const run = await provision('bios', plan);
      const home = await run.phonedHome(1, patience);
      expect(home.detail).toContain('node-1');
      expect(names(run)).toEqual(
        expect.arrayContaining([
          'DHCP lease',
          'iPXE script',
          'kernel',
          'initramfs',
          'rootfs',
          'OSIE',
          'enrolled',
          'worker',
          'own disk',
        ]),
      );
      const workflow = JSON.parse(await site.provisioner.tink('workflow', 'list', '--output', 'json')) as
        { id: string; status: string }[] | { items: { id: string; status: string }[] };
      const [first] = Array.isArray(workflow) ? workflow : workflow.items;
      expect(first?.status).toBe('success');
      expectGraph(run);
      await expectItsOwnLog(plan, first?.id);
      for (const again of [2, 3]) {
        await run.machine.reset();
        await run.phonedHome(again, patience);
      }
      expect(scripts(run, plan.mac)).toEqual(['osie', 'local', 'local', 'local']);
    }, 1_800_000);

    /** Kernel and init say by syslog what they do, from their first line on. */
    const expectItsOwnLog = async (
      { mac, hardwareId, ip }: Pick<Scenario, 'mac' | 'hardwareId' | 'ip'>,
      workflowId?: string,
    ) => {
      const text = await site.provisioner.tink('machine', 'logs', mac, '--output', 'json');
      const lines = text
        .split('\n')
        .filter((line) => line !== '')
        .map((line) => JSON.parse(line) as LoggedMachineLine);
      const kernel = lines.find(({ line }) => line.includes('Linux version'));
      expect(kernel).toMatchObject({ hardwareId, workflowId, address: ip, facility: 'kern' });
      const said = lines.filter(({ app }) => app === 'osie').map(({ line }) => line);
      expect(said).toEqual(expect.arrayContaining(['init', expect.stringMatching(/^network /), 'phone-home']));
    };

    /** What template 1.0 promised: see templates.ts. */
    const expectGraph = (run: MachineRun) => {
      const [created] = events(run, 'WorkflowCreated');
      const ids = created?.data.actions.map(({ plan }) => plan.id) ?? [];
      const at = (type: AnyEvent['type'], id: string) =>
        run.events.findIndex(
          ({ event }) => event.type === type && 'index' in event.data && event.data.index === ids.indexOf(id),
        );
      // Neither waits for the other one.
      expect(at('ActionStarted', 'greet/hello-world')).toBeLessThan(at('ActionSucceeded', 'install/write-image'));
      expect(at('ActionStarted', 'install/write-image')).toBeLessThan(at('ActionSucceeded', 'greet/hello-world'));
      expect(at('ActionStarted', 'install/report')).toBeGreaterThan(at('ActionSucceeded', 'install/write-config'));
      expect(at('ActionStarted', 'restart/reboot')).toBeGreaterThan(at('ActionSucceeded', 'install/report'));
      const permits = events(run, 'ActionPermitGranted').map(({ data }) => [ids[data.index], data.disks]);
      expect(permits).toEqual([['install/write-image', ['node-1']]]);
      const written = events(run, 'ActionSucceeded').find(({ data }) => ids[data.index] === 'install/write-image');
      expect(written?.data.outputs).toMatchObject({ disk: '/dev/vda', bytes: expect.any(Number) as number });
      // write-config knows its disk from these outputs alone.
      expect(created?.data.actions.find(({ name }) => name === 'write-config')?.environment[0]).toMatch(
        /^DEST_DISK=\$\{\{/,
      );
    };

    it('is provisioned through the PXE of UEFI firmware although it is reset in the middle of writing its disk, and boots that disk at every further reboot', async () => {
      const plan = scenario(2, { uefi: true });
      const run = await provision('uefi', plan);
      await writesItsDisk(run);
      await run.machine.reset();
      await run.phonedHome(1, patience * 2);
      expect(names(run)).toEqual(expect.arrayContaining(['nbp', 'iPXE script', 'OSIE', 'own disk']));
      // Its onReboot says that it may run again; each try has a permit of its own.
      expect(events(run, 'ActionOutcomeResolved').map(({ data }) => [data.by, data.as])).toContainEqual([
        'policy',
        'restart',
      ]);
      expect(events(run, 'ActionPermitGranted').map(({ data }) => data.attempt)).toEqual([1, 2]);
      await run.machine.reset();
      await run.phonedHome(2, patience);
      // The firmware may ask more than once on its way to the disk.
      const [first, second, ...later] = scripts(run, plan.mac);
      expect([first, second, ...new Set(later)]).toEqual(['osie', 'osie', 'local']);
      expect(later.length).toBeGreaterThan(1);
    }, 1_800_000);

    it('is provisioned through UEFI HTTP boot although the provisioner is killed in the middle of writing its disk', async () => {
      const plan = scenario(3, { uefi: true });
      const run = await provision('uefi-http', plan);
      await writesItsDisk(run);
      const offers = events(run, 'NetbootOffered').map(({ data }) => data);
      expect(offers[0]).toMatchObject({ client: 'HTTPClient', arch: 16 });
      expect(offers[0]?.bootFile).toMatch(/^http:/);
      await site.killProvisioner();
      await site.told(
        ({ event }) => event.type === 'MachinePhonedHome' && event.data.hardwareId === plan.hardwareId,
        patience,
      );
      const rows = JSON.parse(await site.provisioner.tink('workflow', 'list', '--output', 'json')) as {
        status: string;
      }[];
      expect(rows.map(({ status }) => status)).toEqual(rows.map(() => 'success'));
      const ended = (await logged()).flatMap(({ stream, event }) =>
        event.type === 'ActionSucceeded' ? [`${stream} ${event.data.index}`] : [],
      );
      expect(new Set(ended).size).toBe(ended.length);
    }, 1_800_000);

    const logged = async () =>
      (await site.provisioner.tink('events', '--from', '60', '--output', 'json'))
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line) as Recorded<AnyEvent>);

    // No BIOS option ROM but iPXE comes with QEMU: the first request is an iPXE's, answered as if it were a plain PXE client's.
    it('is provisioned by a template 0.1 through undionly.kpxe, chained as by plain BIOS PXE', async () => {
      const plan = scenario(4, { binary: 'undionly.kpxe', template: '0.1' });
      const run = await provision('bios', plan);
      await run.phonedHome(1, patience * 2);
      const served = run.events.flatMap(({ event }) =>
        event.type === 'BootFileServed' && event.data.hardwareId === plan.hardwareId ? [event.data] : [],
      );
      expect(served[0]).toMatchObject({ protocol: 'tftp', role: 'nbp', file: 'undionly.kpxe' });
      expect(events(run, 'WorkflowCreated')[0]?.data.actions.map(({ plan: { needs } }) => needs)).toEqual([
        [],
        [0],
        [1],
        [2],
      ]);
      expect(events(run, 'ActionPermitGranted')).toEqual([]);
    }, 1_800_000);
  },
);
