import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { silentLogger } from '../logger';
import { Metrics } from '../metrics';
import { openProbe } from './ping-probe';
import type { Probe } from './probe';

/** Of the loopback interface: it answers, and has no MAC. */
const here = '127.0.0.1';

const isRoot = process.getuid?.() === 0;
if (!isRoot) console.warn('SKIPPED: asking the wire for an address: needs root');

describe.skipIf(!isRoot)('a question to the wire', () => {
  const metrics = new Metrics();
  let probe: Probe;
  beforeAll(async () => (probe = await openProbe({ log: silentLogger, metrics, modes: { subnets: [] } })));
  afterAll(() => probe.close());

  it('is answered by who has the address', async () => {
    expect(await probe.ask(here)).toEqual({ method: 'icmp', mac: null });
  });

  it('is asked once for all who wait for it, and each of them goes on', async () => {
    const answers = await Promise.all([probe.ask(here), probe.ask(here)]);
    expect(answers).toEqual([
      { method: 'icmp', mac: null },
      { method: 'icmp', mac: null },
    ]);
    expect(metrics.total('dhcp_probes_skipped_total', {})).toBe(0);
  });
});
