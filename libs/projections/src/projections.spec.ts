import type { Aggregate, Event } from '@tinkerbell/events';
import {
  actionFailed,
  actionHandlerFinished,
  actionStarted,
  actionSucceeded,
  actionTimedOut,
  enrolmentTokenIssued,
  hardwareDeleted,
  hardwareId,
  hardwareRecord,
  hardwareRegistered,
  hardwareUpdated,
  leaseBound,
  leaseReleased,
  leaseRenewed,
  machineMac,
  recorded,
  templateCreated,
  templateDeleted,
  templateUpdated,
  workerCredentialRenewed,
  workerEnrolled,
  workerReady,
  workflowCreated,
  workflowDataUpdated,
  workflowDeleted,
  workflowTimedOut,
  wholeBoot,
} from '@tinkerbell/testing';
import { describe, expect, it } from 'vitest';
import { hardwareList } from './hardware-list.projection';
import { dhcpServerList } from './dhcp-server-list.projection';
import { leaseList } from './lease-list.projection';
import { poolList } from './pool-list.projection';
import { machineList } from './machine-list.projection';
import type { Projection } from './projection';
import { rowsOf } from './rows-of.testing';
import { templateList } from './template-list.projection';
import { workflowList } from './workflow-list.projection';

const boot = wholeBoot();

interface Case {
  readonly aggregate: Aggregate;
  readonly id: string;
  readonly events: readonly Event[];
}
const wf = (...events: readonly Event[]): Case => ({
  aggregate: 'workflow',
  id: 'w',
  events: [workflowCreated(2), ...events],
});
const cases: readonly (readonly [string, Projection<Event, { readonly position: number }>, Case])[] = [
  [
    'hardware',
    hardwareList,
    {
      aggregate: 'hardware',
      id: hardwareId,
      events: [hardwareRegistered(), hardwareUpdated(hardwareRecord({ version: 2 }))],
    },
  ],
  [
    'hardware, deleted',
    hardwareList,
    { aggregate: 'hardware', id: hardwareId, events: [hardwareRegistered(), hardwareDeleted()] },
  ],
  [
    'template',
    templateList,
    {
      aggregate: 'template',
      id: 't',
      events: [templateCreated(), templateUpdated('x'), templateDeleted(), templateCreated('y')],
    },
  ],
  [
    'lease',
    leaseList,
    { aggregate: 'lease', id: 'default', events: [leaseBound(), leaseRenewed(), leaseReleased(), leaseBound()] },
  ],
  [
    'workflow, succeeded',
    workflowList,
    wf(actionStarted(0), workflowDataUpdated(1), actionSucceeded(0), actionStarted(1), actionSucceeded(1)),
  ],
  [
    'workflow, failed',
    workflowList,
    wf(actionStarted(0), actionFailed(0), actionHandlerFinished(0), workflowDeleted()),
  ],
  ['workflow, timed out', workflowList, wf(actionStarted(0), actionTimedOut(0))],
  ['workflow, global timeout', workflowList, wf(actionStarted(0), actionSucceeded(0), workflowTimedOut())],
  ['machine', machineList, { aggregate: 'boot', id: machineMac, events: [...boot, ...boot.slice(0, 4)] }],
  [
    'machine, seen by the worker',
    machineList,
    {
      aggregate: 'enrolment',
      id: hardwareId,
      events: [enrolmentTokenIssued(), workerEnrolled(), workerReady(), workerCredentialRenewed()],
    },
  ],
];

describe('every projection', () => {
  it.each(cases)('%s: the same rows when the whole log is replayed', (_name, projection, { aggregate, id, events }) => {
    const log = recorded(aggregate, id, events);
    const once = rowsOf(projection, log);
    expect(rowsOf(projection, log, once)).toEqual(once);
  });

  it.each(cases)('%s: the same rows when every event comes twice', (_name, projection, { aggregate, id, events }) => {
    const log = recorded(aggregate, id, events);
    expect(
      rowsOf(
        projection,
        log.flatMap((event) => [event, event]),
      ),
    ).toEqual(rowsOf(projection, log));
  });

  it.each(cases)(
    '%s: the same rows when one commit holds all events and comes twice',
    (_name, projection, { aggregate, id, events }) => {
      const log = recorded(aggregate, id, events).map((event, index) => ({ ...event, position: 7, index }));
      const once = rowsOf(projection, log);
      const twice = rowsOf(projection, log, once);
      expect([...twice.keys()]).toEqual([...once.keys()]);
    },
  );

  it.each(cases)('%s: ignores an event that it does not know', (_name, projection, { aggregate, id, events }) => {
    const log = recorded(aggregate, id, [...events, { type: 'SomethingNew', v: 9, data: {} }]);
    const [before, after] = [rowsOf(projection, log.slice(0, -1)), rowsOf(projection, log)];
    expect([...after.keys()]).toEqual([...before.keys()]);
  });

  it('ignores what belongs to other aggregates', () => {
    for (const [, projection] of cases) {
      const [foreign] = recorded('hardware', 'x', [{ type: 'SomethingNew', v: 1, data: {} }]);
      if (foreign && projection !== hardwareList && projection !== machineList)
        expect(projection.key(foreign)).toBeUndefined();
    }
  });
});

describe('hardware-list', () => {
  it('finds by every MAC and address, keeps the day of creation', () => {
    const log = recorded('hardware', hardwareId, [
      hardwareRegistered(),
      hardwareUpdated(hardwareRecord({ version: 2 })),
    ]);
    const row = rowsOf(hardwareList, log).get(hardwareId);
    expect(row).toMatchObject({ createdAt: log[0]?.at, updatedAt: log[1]?.at, position: 2, hardware: { version: 2 } });
    expect(row && hardwareList.lookups?.(row)).toEqual(['mac:08-00-27-00-00-01', 'ip:192.168.1.5']);
  });
});

describe('lease-list', () => {
  it('renews, releases, and takes a refusal for what it is', () => {
    const refused = {
      type: 'LeaseRefused',
      v: 2,
      data: { ...leaseReleased().data, requested: '10.9.9.9', reason: 'not yours' },
    } as const;
    const log = recorded('lease', 'default', [
      leaseBound(),
      leaseRenewed({ leaseSeconds: 60, expiresAt: '2026-03-01T00:00:00.000Z' }),
      refused,
    ]);
    const row = rowsOf(leaseList, log).get('192.168.1.5');
    expect(row).toMatchObject({
      state: 'bound',
      leaseSeconds: 60,
      expiresAt: '2026-03-01T00:00:00.000Z',
      boundAt: log[0]?.at,
      position: 2,
    });
    expect(row && leaseList.lookups?.(row)).toEqual([
      'ip:192.168.1.5',
      `mac:${machineMac}`,
      `hardware:${hardwareId}`,
      'name:server001',
    ]);
  });
});

const pool = { subnet: 'lab', pool: 'lab', size: 300 };
const definition = { type: 'PoolDefined', v: 1, data: { ...pool, ranges: ['10.0.0.250-10.0.2.37'] } } as const;
const crossing = {
  type: 'PoolUtilisationCrossed',
  v: 1,
  data: { ...pool, level: 80, before: 0, used: 240 },
} as const;

describe('pool-list', () => {
  it('has a pool as it was defined last, with when it got full, until it is dropped', () => {
    const dropped = { type: 'PoolDropped', v: 1, data: { subnet: 'lab', pool: 'lab' } } as const;
    const log = recorded('lease', 'default', [definition, leaseBound(), crossing, definition, dropped]);
    const key = 'default/lab';
    expect(rowsOf(poolList, log.slice(0, 4)).get(key)).toEqual({
      ...{ id: key, leasePool: 'default', ...definition.data, definedAt: log[3]?.at, position: 4 },
      crossed: { at: log[2]?.at, level: 80, before: 0, used: 240, size: 300 },
    });
    expect(rowsOf(poolList, log)).toEqual(new Map());
  });
});

describe('dhcp-server-list', () => {
  it('has who answers, and every other server once, as it was seen last', () => {
    const taken = { type: 'PoolTaken', v: 1, data: { address: '10.0.0.1', epoch: 2 } } as const;
    const found = (server: string, seenAt: string) =>
      ({
        type: 'DhcpServerFound',
        v: 1,
        data: { server, sign: 'offer', clientMac: machineMac, offered: null, seenAt },
      }) as const;
    const log = recorded('lease', 'default', [
      taken,
      found('10.0.0.8', 'monday'),
      found('10.0.0.9', 'monday'),
      found('10.0.0.8', 'tuesday'),
    ]);
    expect(rowsOf(dhcpServerList, log).get('default')).toMatchObject({
      active: { address: '10.0.0.1', epoch: 2, since: log[0]?.at },
      others: [
        { server: '10.0.0.9', firstSeenAt: 'monday' },
        { server: '10.0.0.8', firstSeenAt: 'monday', seenAt: 'tuesday' },
      ],
    });
  });
});
