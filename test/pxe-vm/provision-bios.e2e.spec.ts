import type { AnyEvent } from '@tinkerbell/events';
import type { LoggedMachineLine } from '@tinkerbell/messaging';
import { describe, expect, it } from 'vitest';
import type { MachineRun } from '../demo/src/machine-run';
import type { Scenario } from '../demo/src/scenario';
import { cannotProvision, events, names, patience, scenario, scripts, useProvisioningSite } from './provisioning-site';

describe.skipIf(cannotProvision.length > 0)(
  `a machine with an empty disk and a BIOS${cannotProvision.length > 0 ? ` (missing: ${cannotProvision.join(', ')})` : ''}`,
  () => {
    const { site, provision } = useProvisioningSite('bios');

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
      await run.machine.reset();
      await run.phonedHome(2, patience);
      expect(scripts(run, plan.mac)).toEqual(['osie', 'local', 'local']);
    }, 1_800_000);

    /** Kernel, init and worker say by syslog what they do, from their first line on. */
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
      const worker = lines.filter(({ app }) => app === 'tink-worker');
      for (const stage of [`started, id ${hardwareId}`, 'enrolled', 'connected'])
        expect(worker.find(({ line }) => line.endsWith(` ${stage}`))).toMatchObject({
          hardwareId,
          workflowId,
          address: ip,
        });
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

    // No BIOS option ROM but iPXE comes with QEMU: the first request is an iPXE's, answered as if it were a plain PXE client's.
    it('is provisioned by a template 0.1 through undionly.kpxe, chained as by plain BIOS PXE', async () => {
      const plan = scenario(4, { binary: 'undionly.kpxe', template: '0.1' });
      const run = await provision('bios', plan);
      await run.phonedHome(1, patience * 2);
      const served = run.events.flatMap(({ event }) =>
        event.type === 'BootFileServed' && event.data.hardwareId === plan.hardwareId ? [event.data] : [],
      );
      expect(served[0]).toMatchObject({ protocol: 'tftp', role: 'nbp', file: 'undionly.kpxe' });
      // The rest not through the ROM of the card.
      expect(run.machine.console()).toMatch(/OSIE: t=\S+ root file system from http:\S+rootfs-x86_64/);
      expect(served.map(({ file }) => file)).toContain('netroot-x86_64');
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
