import { describe, expect, it } from 'vitest';
import {
  actionFailed,
  actionStarted,
  hardwareDeleted,
  hardwareId,
  hardwareRegistered,
  leaseBound,
  netbootOffered,
  workflowCreated,
  workflowDeleted,
} from '@tinkerbell/testing';
import type { Entry } from './journal';
import { LiveHub } from './live-hub';
import { TestSite } from './site.testing';
import type { Change, Snapshot } from './wire';

const noFault = (error: unknown) => {
  throw error;
};
const mac = '08-00-27-00-00-01';
const snapshotOf = (first: Entry<Snapshot> | readonly Entry<Change>[]) => {
  if (!('value' in first)) throw new Error('not a snapshot');
  return first;
};

/** Resolves with the first change for which the test says yes. */
function changeOf(hub: LiveHub, wanted: (change: Change) => boolean, lastId?: string): Promise<Entry<Change>> {
  return new Promise((resolve) => {
    const { first, close } = hub.subscribe(lastId, take);
    function take(entry: Entry<Change>) {
      if (!wanted(entry.value)) return;
      resolve(entry);
      setImmediate(() => close());
    }
    if (!('value' in first)) first.forEach(take);
  });
}

describe('the live hub', () => {
  it('begins with everything and goes on with what changes', async () => {
    const site = new TestSite();
    await site.append('hardware', hardwareId, hardwareRegistered());
    const hub = new LiveHub(site.ports, noFault);
    await hub.start();
    const { machines } = hub.snapshot();
    expect(machines).toMatchObject([{ id: hardwareId, hostname: 'server001', mac: '08:00:27:00:00:01', step: 'off' }]);

    const leased = changeOf(hub, ({ machines: [machine] }) => machine?.step === 'dhcp');
    await site.append('lease', 'default', leaseBound());
    await site.append('boot', mac, netbootOffered());
    expect((await leased).value.machines).toMatchObject([
      { id: hardwareId, ip: '192.168.1.5', lease: { ip: '192.168.1.5', state: 'bound' } },
    ]);
    hub.close();
  });

  it('tells who comes back only what was missed', async () => {
    const site = new TestSite();
    const hub = new LiveHub(site.ports, noFault);
    await hub.start();
    const { id } = snapshotOf(hub.subscribe(undefined, () => undefined).first);
    const registered = changeOf(hub, ({ machines }) => machines.length === 1);
    await site.append('hardware', hardwareId, hardwareRegistered());
    const entry = await registered;
    const missed = hub.subscribe(id, () => undefined).first;
    expect(missed).toContainEqual(entry);
    expect(hub.subscribe('another-process.1', () => undefined).first).toHaveProperty('value.machines.0.id', hardwareId);
    hub.close();
  });

  it('tells what a workflow waits for, also when it is another one that changes', async () => {
    const site = new TestSite();
    await site.append('hardware', hardwareId, hardwareRegistered());
    await site.append('workflow', 'w1', workflowCreated(1));
    await site.append('workflow', 'w2', workflowCreated(1));
    const hub = new LiveHub(site.ports, noFault);
    await hub.start();
    const notes = () =>
      hub
        .snapshot()
        .workflows.find(({ id }) => id === 'w2')
        ?.notes.map(({ text }) => text);
    expect(notes()).toEqual(['waiting for workflow w1 on this machine, position 2']);
    const freed = changeOf(hub, ({ workflows }) => workflows.some(({ id }) => id === 'w2'));
    await site.append('workflow', 'w1', actionStarted(0), actionFailed(0));
    await freed;
    expect(notes()).toEqual([expect.stringMatching(/^waiting: worker .* to come up/)]);
    const unregistered = changeOf(hub, ({ workflows }) => workflows.some(({ id }) => id === 'w2'));
    await site.append('hardware', hardwareId, hardwareDeleted());
    await unregistered;
    expect(notes()).toEqual([expect.stringMatching(/^waiting: hardware .* to be pushed again/)]);
    hub.close();
  });

  it('drops what is deleted and keeps secrets to itself', async () => {
    const site = new TestSite();
    await site.append('hardware', hardwareId, hardwareRegistered());
    await site.append('workflow', 'w1', workflowCreated());
    const hub = new LiveHub(site.ports, noFault);
    await hub.start();
    expect(Object.keys(hub.snapshot().workflows[0]?.actions[0] ?? {})).not.toContain('environment');
    const gone = changeOf(hub, (change) => change.gone.includes('w1'));
    await site.append('workflow', 'w1', workflowDeleted());
    await gone;
    const unregistered = changeOf(hub, (change) => change.gone.includes(hardwareId));
    await site.append('hardware', hardwareId, hardwareDeleted());
    await unregistered;
    expect(hub.snapshot()).toMatchObject({ machines: [], workflows: [] });
    hub.close();
  });

  it('tells events in words, with names', async () => {
    const site = new TestSite();
    await site.append('hardware', hardwareId, hardwareRegistered());
    await site.append('workflow', 'w1', workflowCreated());
    const hub = new LiveHub(site.ports, noFault);
    await hub.start();
    const failed = changeOf(hub, ({ events }) => events.some(({ type }) => type === 'ActionFailed'));
    await site.append('workflow', 'w1', actionStarted(0));
    await site.append('workflow', 'w1', actionFailed(0));
    await failed;
    const { events, workflows } = hub.snapshot();
    const [template, action] = [workflows[0]?.template, workflows[0]?.actions[0]?.name];
    expect(events.map(({ subject, tone }) => [subject, tone])).toEqual([
      ['server001', 'neutral'],
      [template, 'neutral'],
      ['server001', 'active'],
      ['server001', 'bad'],
    ]);
    expect(events.at(1)?.text).toBe(
      'workflow created by test from template hello, version 1, for device_1=08:00:27:00:00:01: 2 actions',
    );
    expect(events.at(-1)?.text).toBe(`${action} failed after 3.0s: exit code 17 (no)`);
    hub.close();
  });
});
