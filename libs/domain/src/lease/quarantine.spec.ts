import type { LeaseEvent } from '@tinkerbell/events';
import { leaseBound, machineMac, specify } from '@tinkerbell/testing';
import { it } from 'vitest';
import { leaseDecider } from './lease.decider';

const given = specify(leaseDecider);
const now = '2026-01-01T12:00:00.000Z';
const quarantinedUntil = '2026-01-03T00:00:00.000Z';
const ip = '10.0.0.5';
const holder = { mac: machineMac, hardwareId: null, clientId: '01aa', ip, subnet: 'lab', origin: 'pool' } as const;
const bound = leaseBound({ ...holder, hostname: '' });
const declined: LeaseEvent = { type: 'LeaseDeclined', v: 2, data: { ...holder, message: '', quarantinedUntil } };
const over: LeaseEvent = { type: 'QuarantineEnded', v: 1, data: { ip, subnet: 'lab', quarantinedUntil, probed: true } };
const conflict = { ip, subnet: 'lab', method: 'icmp', answeredBy: null, quarantinedUntil } as const;
const seen: LeaseEvent = { type: 'LeaseConflictFound', v: 1, data: conflict };
const end = { type: 'EndQuarantine', ip, probed: true, now } as const;

it('of a declined address can be ended, and then the address is leased again', () => {
  given(bound, declined).when(end).then(over);
  given(bound, declined, over)
    .when({
      ...{ type: 'BindLease', ...holder, hostname: '', leaseSeconds: 86_400, giaddr: null },
      ...{ clientState: 'selecting', now },
    })
    .then(leaseBound({ ...bound.data, expiresAt: '2026-01-02T12:00:00.000Z' }));
});
it('is ended once, and not when it is over by itself', () => {
  given(bound, declined, over).when(end).thenNothing();
  given(bound, declined)
    .when({ ...end, now: quarantinedUntil })
    .thenNothing();
  given(bound).when(end).thenNothing();
});
it('stays where somebody answers', () => {
  given(bound, declined)
    .when({ type: 'FindConflict', ...conflict, now })
    .then(seen);
  given(bound, declined, seen).when(end).thenNothing();
});
