import type { LeaseEvent } from '@tinkerbell/events';
import { JetStreamEventStore, type StreamHead } from '@tinkerbell/event-store';
import { subjects } from '@tinkerbell/messaging';

const perCommit = 100;
/** The addresses of the pool below are for the clients of the bench. */
const firstAddress = (10 << 24) + (210 << 16);

/** What BOOTS_DHCP_FILE says of the pool that is filled here. */
export const poolOfFill = `subnets:
  - subnet: 10.192.0.0/10
    name: fleet
    probe: false
    pools: [{ ranges: [10.208.0.0-10.215.255.255] }]
`;

/** What BOOTS_DHCP_FILE says of the IPv6 one. */
export const pool6OfFill = `subnets:
  - subnet: fd00:210::/64
    name: fleet
    range: fd00:210::/96
`;

/** Leases `from` to `to` of machines that nobody will hear of again, as boots would have stored them. */
export function fillLeases(servers: string, from: number, to: number): Promise<void> {
  return fill(servers, 'default', bound, [from, to]);
}

/** The same of IPv6. */
export function fillLeases6(servers: string, from: number, to: number): Promise<void> {
  return fill(servers, 'default-v6', bound6, [from, to]);
}

async function fill(
  servers: string,
  pool: string,
  leaseOf: (n: number) => LeaseEvent,
  [from, to]: readonly [number, number],
): Promise<void> {
  const store = await JetStreamEventStore.connect({ servers, name: 'bench', durability: 'fsync-each' });
  const stream = subjects.stream('lease', pool);
  try {
    let { head } = await store.last(stream);
    for (let first = from; first < to; first += perCommit) {
      const events = Array.from({ length: Math.min(perCommit, to - first) }, (_, i) => leaseOf(first + i));
      head = await append(store, stream, events, head);
    }
  } finally {
    await store.close();
  }
}

async function append(
  store: JetStreamEventStore,
  stream: string,
  events: readonly LeaseEvent[],
  expected: StreamHead,
): Promise<StreamHead> {
  const metadata = { id: `fill-${expected.version}`, actor: 'boots' };
  return (await store.append(stream, events, { expected, metadata })).head;
}

function bound(n: number): LeaseEvent {
  const hex = n.toString(16).padStart(8, '0');
  const ip = [24, 16, 8, 0].map((shift) => ((firstAddress + n) >>> shift) & 255).join('.');
  return {
    type: 'LeaseBound',
    v: 2,
    data: {
      ...{ mac: `02-00-${hex.replace(/(..)(?!$)/g, '$1-')}`, hardwareId: null, clientId: `0102${hex}00`, ip },
      ...{ subnet: 'fleet', origin: 'pool', hostname: `node-${n}`, leaseSeconds: 86_400, giaddr: '10.200.0.2' },
      expiresAt: new Date(Date.now() + 86_400_000).toISOString(),
    },
  };
}

function bound6(n: number): LeaseEvent {
  const hex = n.toString(16).padStart(8, '0');
  return {
    type: 'LeaseBound',
    v: 2,
    data: {
      ...{ mac: `02-00-${hex.replace(/(..)(?!$)/g, '$1-')}`, hardwareId: null, subnet: 'fleet', origin: 'pool' },
      clientId: `000100012f000000${hex}0200:${hex}`,
      ip: `fd00:210::${(0x8000 + (n >>> 16)).toString(16)}:${(n & 0xffff).toString(16)}`,
      ...{ hostname: `node-${n}`, leaseSeconds: 86_400, giaddr: 'fd00:210::1' },
      expiresAt: new Date(Date.now() + 86_400_000).toISOString(),
    },
  };
}
