import type { FileLease } from './lease-file';

/** What the server takes at a time. */
export const batchSize = 250;

/**
 * In parts for the server. A client that had several addresses goes on with the one that lasts longest, so that comes first; its leases
 * stay together, or a dry run would not see that it has one.
 */
export function importBatches(leases: readonly FileLease[], size = batchSize): readonly (readonly FileLease[])[] {
  const order = leases
    .map((lease) => ({ lease, client: lease.mac ?? lease.clientId ?? lease.ip, end: endOf(lease) }))
    .sort((a, b) => (a.client < b.client ? -1 : a.client > b.client ? 1 : b.end - a.end));
  const batches: FileLease[][] = [];
  for (let at = 0; at < order.length;) {
    const client = order[at]?.client;
    let end = at;
    while (end < order.length && order[end]?.client === client) end++;
    const last = batches.at(-1);
    if (last && last.length + end - at <= size) last.push(...order.slice(at, end).map(({ lease }) => lease));
    else
      for (let from = at; from < end; from += size) {
        batches.push(order.slice(from, Math.min(end, from + size)).map(({ lease }) => lease));
      }
    at = end;
  }
  return batches;
}

function endOf({ expiresAt }: FileLease): number {
  return expiresAt === null ? Infinity : Date.parse(expiresAt);
}
