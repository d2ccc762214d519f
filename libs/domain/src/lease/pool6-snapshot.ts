import { hashTrieOf } from './hash-trie';
import { addressesOf, type Lease6, type Lease6State } from './lease6.decider';
import type { PoolSaving } from './pool-snapshot';

interface SavedPool6 {
  readonly taken: Lease6State['taken'] | null;
  readonly serverDuid: string | null;
  readonly pools: readonly (readonly [string, { readonly level: number; readonly defined?: object }])[];
}

/** `place`: among the addresses of its client, the oldest first. */
type SavedLease6 = readonly [
  ...[mac: string | null, hardwareId: string | null, clientId: string, ip: string, subnet: string],
  ...[origin: Lease6['origin'], hostname: string, state: Lease6['state'], expiresAt: string, place: number],
];

export const pool6Saving: PoolSaving<Lease6State, SavedPool6, SavedLease6> = {
  fold: 1,
  pool: ({ taken, serverDuid, pools }) => ({ taken: taken ?? null, serverDuid, pools: [...pools] }),
  *leases(state) {
    for (const lease of state.byAddress.values()) {
      const { mac, hardwareId, clientId, ip, subnet, origin, hostname, state: standing, expiresAt } = lease;
      const place = addressesOf(state, clientId).indexOf(ip);
      yield [mac, hardwareId, clientId, ip, subnet, origin, hostname, standing, expiresAt, place];
    }
  },
  restoration() {
    const byAddress = hashTrieOf<Lease6>();
    const byClient = new Map<string, string[]>();
    return {
      add([mac, hardwareId, clientId, ip, subnet, origin, hostname, state, expiresAt, place]) {
        byAddress.put(ip, { mac, hardwareId, clientId, ip, subnet, origin, hostname, state, expiresAt });
        const addresses = byClient.get(clientId) ?? [];
        addresses[place] = ip;
        byClient.set(clientId, addresses);
      },
      done({ taken, serverDuid, pools }) {
        const clients = hashTrieOf<readonly string[]>();
        for (const [clientId, addresses] of byClient) clients.put(clientId, addresses);
        const known = new Map(pools as Iterable<[string, { defined: undefined; level: 0 }]>);
        return {
          ...{ byAddress: byAddress.done(), byClient: clients.done(), serverDuid },
          ...{ taken: taken ?? undefined, pools: known },
        };
      },
    };
  },
};
