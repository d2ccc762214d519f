import { readFile } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import { metricNames, Metrics } from './metrics';

describe('metrics', () => {
  it('are all in docs/operations.md', async () => {
    const page = await readFile('docs/operations.md', 'utf8');
    expect(metricNames.filter((name) => !page.includes(`\`boots_${name}\``))).toEqual([]);
    const named = [...page.matchAll(/`boots_(\w+)`/g)].map(([, name = '']) => name);
    // What Status adds by itself.
    const own = ['leases', 'leases6', 'pool_active', 'pool6_active', 'pool_takeovers', 'pool6_takeovers'];
    const known = [...metricNames, ...own, 'uptime_seconds', 'resident_memory_bytes'];
    expect(named.filter((name) => !known.includes(name))).toEqual([]);
  });
  it('have times as Prometheus reads them', () => {
    const metrics = new Metrics();
    for (const seconds of [0.0005, 0.001, 0.003, 2]) metrics.observe('dhcp_answer_seconds', seconds);
    const lines = metrics.text({}).split('\n');
    expect(lines).toContain('# TYPE boots_dhcp_answer_seconds histogram');
    expect(lines.filter((line) => line.startsWith('boots_dhcp_answer_seconds'))).toEqual([
      ...['0.001"} 2', '0.0025"} 2', '0.005"} 3', '0.01"} 3', '0.025"} 3', '0.05"} 3', '0.1"} 3', '0.25"} 3'].map(
        (rest) => `boots_dhcp_answer_seconds_bucket{le="${rest}`,
      ),
      ...['0.5"} 3', '1"} 3', '+Inf"} 4'].map((rest) => `boots_dhcp_answer_seconds_bucket{le="${rest}`),
      'boots_dhcp_answer_seconds_sum 2.0045',
      'boots_dhcp_answer_seconds_count 4',
    ]);
  });
  it('of what is no more are gone', () => {
    const metrics = new Metrics();
    metrics.set('dhcp_pool_size', { pool: 'a' }, 1);
    metrics.set('dhcp_pool_size', { pool: 'b' }, 2);
    metrics.drop('dhcp_pool_size', { pool: 'a' });
    const lines = metrics.text({}).split('\n');
    expect(lines.filter((line) => line.startsWith('boots_dhcp_pool_size'))).toEqual([
      'boots_dhcp_pool_size{pool="b"} 2',
    ]);
  });
});
