import type { Event, Recorded } from '@tinkerbell/events';
import {
  actionImageServed,
  bootFileServed,
  bootRequestFailed,
  bootScriptServed,
  bootWays,
  hardwareId,
  leaseBound,
  leaseRenewed,
  machineMac,
  machinePhonedHome,
  netbootOffered,
  osieStarted,
  recorded,
  workerReady,
  wholeBoot,
} from '@tinkerbell/testing';
import { describe, expect, it } from 'vitest';
import { isHome, machineList } from './machine-list.projection';
import type { Projection } from './projection';
import type { MachineRow } from './rows';
import { rowsOf } from './rows-of.testing';

const boot = wholeBoot();

describe('machine-list', () => {
  const rowOf = (events: readonly Recorded<Event>[]) =>
    rowsOf<Event, unknown>(machineList as Projection<Event, unknown>, events).get(hardwareId) as MachineRow;
  const steps = (events: readonly Event[]) =>
    rowOf(
      recorded('boot', machineMac, events).map((each) =>
        each.event.type === 'WorkerReady' ? { ...each, aggregate: 'enrolment', aggregateId: hardwareId } : each,
      ),
    );

  it('tells the way from the firmware to the disk', () => {
    const row = steps(boot);
    expect(row.step).toBe('disk');
    expect(row.steps.map(({ step }) => step)).toEqual(['dhcp', 'tftp', 'dhcp', 'http', 'http', 'osie', 'disk']);
  });
  it('tells that of a machine without a record by its MAC, and nothing of one by the null of its id', () => {
    const nobody = { hardwareId: null };
    const events = [
      ...[netbootOffered(nobody), bootFileServed(nobody), bootScriptServed({ ...nobody, script: 'discovery' })],
      ...[bootFileServed({ ...nobody, protocol: 'http', role: 'kernel' }), osieStarted(5, nobody)],
    ];
    const rows = rowsOf<Event, unknown>(
      machineList as Projection<Event, unknown>,
      recorded('boot', machineMac, events),
    );
    expect([...rows.keys()]).toEqual([machineMac]);
    const row = rows.get(machineMac) as { step: string; steps: readonly { step: string }[]; registered: boolean };
    expect([row.step, row.registered]).toEqual(['osie', false]);
    expect(row.steps.map(({ step }) => step)).toEqual(['dhcp', 'tftp', 'http', 'http', 'osie']);
  });
  it('begins anew with the next power-on, from iPXE in ROM too', () => {
    expect(steps([...boot, netbootOffered()]).steps).toHaveLength(1);
    expect(steps([...boot, netbootOffered({ client: 'iPXE' })]).steps).toHaveLength(1);
    expect(steps([netbootOffered(), bootFileServed(), netbootOffered()]).steps).toHaveLength(1);
    const bootp = netbootOffered({ client: 'BOOTP', arch: null, bootFile: 'pxelinux.0' });
    expect(steps([bootp, bootFileServed(), bootp]).steps).toMatchObject([
      { step: 'dhcp', detail: 'BOOTP gets 192.168.1.5 and pxelinux.0' },
    ]);
  });
  describe.each(Object.entries(bootWays()))('of a machine that boots by %s', (_, way) => {
    const worker = (...events: readonly Event[]) => [...way, workerReady(), ...events];

    it('stays at its worker, whatever file that fetches', () => {
      const row = steps(worker());
      expect(row.step).toBe('worker');
      const { step, steps: told, bootFiles } = steps(worker(actionImageServed(), actionImageServed()));
      expect({ step, told, bootFiles }).toEqual({ step: 'worker', told: row.steps, bootFiles: row.bootFiles });
      const kexec = bootFileServed({ protocol: 'http', role: 'kernel', file: 'vmlinuz' });
      expect(steps(worker(kexec, machinePhonedHome(), actionImageServed())).step).toBe('disk');
      expect(steps([...way, bootFileServed({ protocol: 'http', role: 'rootfs', file: 'rootfs' })]).step).toBe('osie');
    });
    it('begins anew when it is powered on again', () => {
      const again = steps(worker(actionImageServed(), ...way));
      // Media are read before anything tells of a power-on.
      const told = way[0]?.type === 'BootFileServed' ? way.slice(1) : way;
      expect(again.steps.map(({ step, detail }) => [step, detail])).toEqual(
        steps(told).steps.map(({ step, detail }) => [step, detail]),
      );
      expect(again.bootFiles).toEqual(steps(told).bootFiles);
    });
    it('begins anew where another server does its DHCP', () => {
      const program = bootFileServed({ file: 'ipxe.efi' });
      expect(steps(worker(actionImageServed(), program)).steps).toMatchObject([{ step: 'tftp' }]);
    });
  });
  describe('of a machine that was reset on its way, without DHCP of ours', () => {
    const way = (...events: readonly Event[]) => steps(events).steps.map(({ detail }) => detail);
    const kernel = bootFileServed({ protocol: 'http', role: 'kernel', file: 'vmlinuz-x86_64' });
    const script = bootScriptServed();

    it('begins anew with its script, once it fetched what that names', () => {
      expect(way(script, kernel, script)).toEqual(['osie script']);
      // It did not get it whole.
      expect(way(script, script, kernel)).toHaveLength(3);
    });
    it('begins anew with its boot program', () =>
      expect(way(script, kernel, bootFileServed({ file: 'pxelinux.0' }))).toEqual(['pxelinux.0, 70000 bytes']));
    it('is on one way when its own script loads programs', () => {
      const own = bootScriptServed({ script: 'custom', tokenHash: null, expiresAt: null });
      expect(way(own, kernel, bootFileServed({ file: 'memtest.0' }))).toHaveLength(3);
    });
  });
  describe('of a machine that is told to boot its own disk', () => {
    const told = bootScriptServed({ script: 'local', tokenHash: null, expiresAt: null });
    const asked = [netbootOffered(), bootFileServed(), netbootOffered({ client: 'iPXE', bootFile: 'auto.ipxe' })];
    const way = (...events: readonly Event[]) => steps(events).steps.map(({ step, detail }) => `${step}: ${detail}`);
    const disk = 'disk: told to boot its own disk';

    it('is at its disk, whether or not its system calls home', () => {
      const row = steps([...asked, told]);
      expect([row.step, row.steps.at(-1)?.step, isHome(row)]).toEqual(['disk', 'disk', false]);
      const home = steps([...asked, told, machinePhonedHome()]);
      expect([home.step, isHome(home)]).toEqual(['disk', true]);
      expect(home.steps.slice(0, -1)).toEqual(row.steps);
      expect(isHome(steps(boot))).toBe(true);
    });
    it('stays there, whatever its system fetches and leases', () => {
      const row = steps([...asked, told]);
      const later = steps([...asked, told, actionImageServed(), leaseBound(), leaseRenewed()]);
      expect([later.step, later.steps]).toEqual(['disk', row.steps]);
    });
    it('begins anew with the next power-on, with or without DHCP of ours', () => {
      expect(way(...asked, told, netbootOffered())).toHaveLength(1);
      expect(way(...asked, told, bootFileServed())).toEqual(['tftp: undionly.kpxe, 70000 bytes']);
      expect(way(...asked, told, bootScriptServed())).toEqual(['http: osie script']);
      expect(way(...boot, told)).toEqual([disk]);
    });
    it('is on one way when it fetches its script again at once, not when it does much later', () => {
      // Positions are seconds apart.
      const again = (secondsLater: number) =>
        [1, 1 + secondsLater].flatMap((position) => recorded<Event>('boot', machineMac, [told], position));
      const count = (secondsLater: number) => rowOf(again(secondsLater)).steps.length;
      expect([count(119), count(120)]).toEqual([2, 1]);
    });
  });
  it('has one address of each family, whichever it was heard from last', () => {
    const addresses = (...events: readonly Event[]) => {
      const { ip, ip6 } = steps(events);
      return [ip, ip6];
    };
    const [v4, v6] = [leaseBound({ ip: '10.0.0.5' }), leaseBound({ ip: '2001:db8::5' })];
    expect(addresses(v6)).toEqual(['2001:db8::5', '']);
    expect(addresses(v4, v6)).toEqual(['10.0.0.5', '2001:db8::5']);
    expect(addresses(v6, v4)).toEqual(['10.0.0.5', '2001:db8::5']);
    expect(addresses(v4, v6, v4, leaseBound({ ip: '2001:db8::6' }))).toEqual(['10.0.0.5', '2001:db8::6']);
  });
  it('is off while an operating system leases, and not when firmware has nothing to boot', () => {
    const system = steps([leaseBound(), leaseRenewed()]);
    expect(system).toMatchObject({ step: 'off', steps: [], ip: '192.168.1.5' });
    expect(steps([leaseBound(), bootRequestFailed({ reason: 'other-network' })])).toMatchObject({ step: 'off' });
    const firmware = [leaseBound(), bootRequestFailed()];
    const detail = 'no boot file: discover of PXEClient, architecture 9';
    expect(steps(firmware)).toMatchObject({ step: 'dhcp', steps: [{ step: 'dhcp', detail }] });
    expect(steps([...firmware, bootRequestFailed({ count: 3 })]).steps).toHaveLength(1);
    expect(steps([netbootOffered(), bootFileServed(), bootRequestFailed()]).step).toBe('tftp');
  });
  it('stays on its way while iPXE asks after the firmware did', () => {
    expect(steps(boot.slice(0, 3)).steps).toHaveLength(3);
  });
});
