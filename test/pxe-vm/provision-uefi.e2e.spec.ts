import { describe, expect, it } from 'vitest';
import type { AnyEvent, Recorded } from '@tinkerbell/events';
import type { MachineRun } from '../demo/src/machine-run';
import { cannotProvision, events, names, patience, scenario, scripts, useProvisioningSite } from './provisioning-site';
import { until } from './run';

describe.skipIf(cannotProvision.length > 0)(
  `a machine with an empty disk and UEFI firmware${cannotProvision.length > 0 ? ` (missing: ${cannotProvision.join(', ')})` : ''}`,
  () => {
    const { site, provision } = useProvisioningSite('uefi');

    const writesItsDisk = (run: MachineRun) =>
      until(
        () =>
          run.story.steps.some(({ name, detail }) => name === 'action write-image' && detail.startsWith('permitted')),
        patience,
      );

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
  },
);
