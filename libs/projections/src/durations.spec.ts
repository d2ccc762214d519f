import type { Event } from '@tinkerbell/events';
import {
  actionFailed,
  actionImageServed,
  actionSpec,
  actionStarted,
  actionSucceeded,
  bootScriptServed,
  bootWays,
  leaseBound,
  machinePhonedHome,
  netbootOffered,
  osieStarted,
  recorded,
  workerReady,
  workflowCreated,
} from '@tinkerbell/testing';
import { describe, expect, it } from 'vitest';
import { addDuration, type DurationRow, type Measure, usualOf } from './durations';
import { machineList, type MachineEvent } from './machine-list.projection';
import { durationKeys, machineMeasures, workflowMeasures } from './measures';
import type { MachineRow, WorkflowRow } from './rows';
import { workflowList } from './workflow-list.projection';

const rowOf = (durations: readonly number[]) => durations.reduce<DurationRow | undefined>(addDuration, undefined);

describe('what usually is', () => {
  it('is known within 5 %, whatever the size', () => {
    for (const scale of [0.02, 1, 60, 86_400]) {
      const durations = Array.from({ length: 101 }, (_, i) => scale * (1 + i / 100));
      const { median = 0, p90 = 0, count } = usualOf(rowOf(durations)) ?? {};
      expect(count).toBe(101);
      expect(Math.abs(median / (scale * 1.5) - 1)).toBeLessThan(0.06);
      expect(Math.abs(p90 / (scale * 1.9) - 1)).toBeLessThan(0.06);
    }
  });

  it('is nothing of what never was, and takes no time at all for a millisecond', () => {
    expect(usualOf(undefined)).toBeUndefined();
    expect(usualOf(rowOf([0]))).toMatchObject({ count: 1, median: 0.000998 });
  });

  it('takes no more room after a million times', () => {
    let row: DurationRow | undefined;
    for (let i = 0; i < 20_000; i++) row = addDuration(row, 0.001 * 1.0011 ** i);
    expect(Object.keys(row?.buckets ?? {}).length).toBeLessThan(235);
  });
});

function measuredWorkflow(events: Parameters<typeof recorded>[2]): readonly Measure[] {
  let row: WorkflowRow | undefined;
  return recorded('workflow', 'w', events).flatMap((each) => {
    const before = row;
    row = workflowList.evolve(row, each as Parameters<typeof workflowList.evolve>[1]);
    return workflowMeasures(before, row, each);
  });
}

describe('actions', () => {
  const specs = [actionSpec({ name: 'wipe', image: 'wipe:1' }), actionSpec({ name: 'write', image: 'write:2' })];
  it('are measured when they succeed, for their template and for their image', () => {
    const events: readonly Event[] = [
      workflowCreated(specs),
      actionStarted(0),
      actionSucceeded(0, { seconds: 7 }),
      actionStarted(1),
      actionFailed(1, { seconds: 5 }),
    ];
    const action = durationKeys.action({ template: 'hello', name: 'wipe', image: 'wipe:1' });
    expect(measuredWorkflow(events)).toEqual([
      { key: action, seconds: 7 },
      { key: 'image:wipe:1', seconds: 7 },
    ]);
  });

  it('are not measured when somebody else did them, or declared them done', () => {
    const events: readonly Event[] = [
      workflowCreated(specs),
      { type: 'ActionInherited', v: 1, data: { index: 0, workflowId: 'w-0', seconds: 7, outputs: {} } },
      actionStarted(1),
      {
        type: 'ActionOutcomeUnknown',
        v: 1,
        data: { index: 1, attempt: 1, workerId: 'h', bootId: 'b', seconds: 900, message: '' },
      },
      {
        type: 'ActionOutcomeResolved',
        v: 1,
        data: { index: 1, attempt: 1, as: 'succeeded', by: 'operator', reason: 'seen' },
      },
    ];
    expect(measuredWorkflow(events)).toEqual([]);
  });

  it('are measured once when the report comes again', () => {
    const twice = [workflowCreated(specs), actionStarted(0), actionSucceeded(0), actionSucceeded(0)];
    expect(measuredWorkflow(twice)).toHaveLength(2);
  });
});

function measuredWay(events: readonly MachineEvent[]): readonly Measure[] {
  let row: MachineRow | undefined;
  return recorded<MachineEvent>('boot', '08-00-27-00-00-01', events).flatMap((each) => {
    const before = row;
    row = machineList.evolve(row, each.event.type === 'WorkerReady' ? { ...each, aggregate: 'enrolment' } : each);
    return machineMeasures(before, row, each);
  });
}

it('the way of a machine is measured from reaching one step to reaching the next', () => {
  const events = [
    leaseBound(),
    netbootOffered(),
    netbootOffered({ client: 'iPXE' }),
    bootScriptServed(),
    osieStarted(),
    workerReady(),
    machinePhonedHome(),
    // Powered on again: the way back to DHCP is no step of it.
    netbootOffered(),
    bootScriptServed({ script: 'local' }),
  ];
  expect(measuredWay(events)).toEqual([
    // DHCP began with the firmware's offer, two seconds before the script; a lease alone is no boot.
    { key: 'step:dhcp>http', seconds: 2 },
    { key: 'step:http>osie', seconds: 1 },
    { key: 'step:osie>worker', seconds: 1 },
    { key: 'step:worker>disk', seconds: 1 },
    { key: 'step:dhcp>http', seconds: 1 },
  ]);
});

it.each(Object.entries(bootWays()))('what a worker fetches is no way of a machine that boots by %s', (_, way) => {
  const worker = [...way, workerReady()];
  const fetched = [...worker, actionImageServed(), actionImageServed()];
  expect(measuredWay([...fetched, machinePhonedHome()]).map(({ key }) => key)).toEqual(
    measuredWay([...worker, machinePhonedHome()]).map(({ key }) => key),
  );
  // A worker that comes up again after its process was restarted is no way from HTTP.
  expect(measuredWay([...fetched, workerReady()])).toEqual(measuredWay(worker));
});
