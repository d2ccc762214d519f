import { foreverSeconds } from '@tinkerbell/domain';
import type { LeaseItem } from '../api-types';
import type { Context } from '../cli-command';
import { showMac, timeText, type Listing } from '../output/print';
import { colorOf } from '../output/screen';
import type { Column } from '../output/table';

export const leaseStates = ['bound', 'expired', 'released', 'ended', 'declined', 'conflict'] as const;

/** The log only knows of what machines said; that a lease ran out is a matter of the time. */
function stateOf({ state, expiresAt }: LeaseItem, now: number): LeaseItem['state'] {
  return state === 'bound' && Date.parse(expiresAt ?? '') < now ? 'expired' : state;
}

/** At this moment. */
export function asTheyAre(leases: readonly LeaseItem[], now: number): readonly LeaseItem[] {
  return leases.map((lease) => ({ ...lease, state: stateOf(lease, now) }));
}

/** By address as a number, IPv4 before IPv6. */
export function inOrder(leases: readonly LeaseItem[]): readonly LeaseItem[] {
  const keyOf = ({ ip }: LeaseItem) => (ip.includes(':') ? groupsOf(ip) : ip.split('.').map(Number));
  return leases
    .map((lease) => ({ lease, key: keyOf(lease) }))
    .sort((a, b) => a.key.length - b.key.length || difference(a.key, b.key))
    .map(({ lease }) => lease);
}

function difference(one: readonly number[], other: readonly number[]): number {
  const at = one.findIndex((part, i) => part !== other[i]);
  return at < 0 ? 0 : (one[at] ?? 0) - (other[at] ?? 0);
}

/** The eight groups of an IPv6 address. */
function groupsOf(ip: string): readonly number[] {
  const [head = [], tail = []] = ip.split('::').map((half) => (half === '' ? [] : half.split(':')));
  const zeros = Array.from({ length: 8 - head.length - tail.length }, () => '0');
  return [...head, ...zeros, ...tail].map((group) => parseInt(group, 16));
}

export function leaseListing(context: Context, leases: readonly LeaseItem[]): Listing<LeaseItem> {
  const columns = (wide: boolean): readonly Column<LeaseItem>[] => {
    const time = timeText(context, wide);
    return [
      { title: 'IP Address', text: ({ ip }) => ip },
      { title: 'MAC Address', text: ({ mac }) => showMac(mac ?? '') },
      { title: 'Hostname', text: ({ hostname }) => hostname, shrinksTo: 12 },
      { title: 'State', text: ({ state }) => state, color: ({ state }) => colorOf(state) },
      { title: 'Expires', text: (lease) => endOf(lease, time) },
      { title: 'Bound At', text: ({ boundAt }) => time(boundAt), wideOnly: true },
      { title: 'Subnet', text: ({ subnet }) => subnet, wideOnly: true },
      { title: 'Origin', text: ({ origin }) => origin, wideOnly: true },
      { title: 'Client ID', text: ({ clientId }) => clientId ?? '', wideOnly: true },
      { title: 'Hardware ID', text: ({ hardwareId }) => hardwareId ?? '', wideOnly: true },
    ];
  };
  return { rows: leases, columns, document: leases };
}

/** `expiresAt` of one that never ends (RFC 2131 §3.3) is 136 years away. */
export function endText({ leaseSeconds }: Pick<LeaseItem, 'leaseSeconds'>, time: string): string {
  return leaseSeconds === foreverSeconds ? 'never' : time;
}

/** Of an address in quarantine the end of that; of one that was given back nothing. */
export function endOf(lease: LeaseItem, time: (iso: string | null) => string): string {
  const { state, expiresAt, quarantinedUntil } = lease;
  if (state === 'released' || state === 'ended') return '';
  return state === 'declined' || state === 'conflict' ? time(quarantinedUntil) : endText(lease, time(expiresAt));
}
