import { InMemoryEventStore, openReadModels } from '@tinkerbell/event-store';
import type { AnyEvent, Aggregate } from '@tinkerbell/events';
import { subjects } from '@tinkerbell/messaging';
import { hardwareList, workflowList } from '@tinkerbell/projections';
import {
  hardwareDeleted,
  hardwareId,
  hardwareInterface,
  hardwareRecord,
  hardwareRegistered,
  hardwareUpdated,
  workflowCreated,
} from '@tinkerbell/testing';
import { expect, it } from 'vitest';
import { Machines } from './machines';

const mac = '08-00-27-00-00-01';

it('says of a machine what the rows say now, whatever it was asked before', async () => {
  const store = new InMemoryEventStore();
  const projections = { hardware: hardwareList, workflows: workflowList };
  const rows = await openReadModels({ store, file: ':memory:', projections });
  const { hardware, workflows } = rows.models;
  const machines = new Machines(hardware, workflows);
  const tell = async (aggregate: Aggregate, id: string, event: AnyEvent) => {
    const stream = subjects.stream(aggregate, id);
    const { head } = await store.read(stream);
    await store.append(stream, [event], { expected: head, metadata: { id: crypto.randomUUID(), actor: 'test' } });
    await rows.waitFor(await store.lastPosition(), 30_000);
  };
  const holder = (address: string) => machines.byReservedAddress(address)?.mac;
  const allowed = () => {
    const machine = machines.byMac(mac);
    return machine && machines.netboot(machine).allowed;
  };

  expect([allowed(), allowed()]).toEqual([undefined, undefined]);
  expect([holder('192.168.1.5'), holder('192.168.1.5')]).toEqual([undefined, undefined]);
  await tell('hardware', hardwareId, hardwareRegistered());
  expect([allowed(), allowed()]).toEqual([true, true]);
  const closed = hardwareInterface(mac, '192.168.1.5', { allow_pxe: false });
  await tell('hardware', hardwareId, hardwareUpdated(hardwareRecord({ network: { interfaces: [closed] } })));
  expect(allowed()).toBe(false);
  expect([holder('192.168.1.5'), holder('192.168.1.5'), holder('192.168.1.6')]).toEqual([mac, mac, undefined]);
  await tell('hardware', hardwareId, hardwareUpdated());
  expect(allowed()).toBe(true);
  await tell('workflow', 'w', workflowCreated());
  const machine = machines.byMac(mac);
  expect(machine && machines.netboot(machine).reason).toBe('workflow w is pending');
  await tell('hardware', hardwareId, hardwareDeleted());
  expect(allowed()).toBeUndefined();
  expect(holder('192.168.1.5')).toBeUndefined();
  await rows.close();
});
