import { describe, expect, it } from 'vitest';
import { importBatches } from './import-batches';
import type { FileLease } from './lease-file';

const lease = (ip: string, mac: string | null, expiresAt: string | null): FileLease => ({
  ...{ ip, family: 4, mac, clientId: null, hostname: '', state: 'bound', expiresAt, file: 'f', line: 1 },
});

describe('parts of an import', () => {
  const ips = (leases: readonly FileLease[], size: number) =>
    importBatches(leases, size).map((batch) => batch.map(({ ip }) => ip));
  it('keep a client together, the lease that lasts longest first', () => {
    const leases = [
      lease('10.0.0.1', 'b', '2026-01-01T00:00:00.000Z'),
      lease('10.0.0.2', 'a', null),
      lease('10.0.0.3', 'b', '2026-01-02T00:00:00.000Z'),
      lease('10.0.0.4', 'a', '2026-01-01T00:00:00.000Z'),
      lease('10.0.0.5', 'b', null),
    ];
    expect(ips(leases, 4)).toEqual([
      ['10.0.0.2', '10.0.0.4'],
      ['10.0.0.5', '10.0.0.3', '10.0.0.1'],
    ]);
    expect(ips(leases, 2)).toEqual([['10.0.0.2', '10.0.0.4'], ['10.0.0.5', '10.0.0.3'], ['10.0.0.1']]);
  });
  it('are as many as it takes', () => {
    const many = Array.from({ length: 1000 }, (_, i) => lease(`10.0.${i >> 8}.${i & 255}`, null, null));
    const batches = importBatches(many);
    expect(batches.map(({ length }) => length)).toEqual([250, 250, 250, 250]);
    expect(new Set(batches.flat())).toEqual(new Set(many));
    expect(importBatches([])).toEqual([]);
  });
});
