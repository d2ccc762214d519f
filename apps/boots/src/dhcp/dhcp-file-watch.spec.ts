import { mkdtemp, rm, unlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Metrics } from '../metrics';
import { readDhcpFile } from './dhcp-file';
import { DhcpFileWatch } from './dhcp-file-watch';

const subnet = (name: string) => `subnets: [{ subnet: 10.1.0.0/24, name: ${name}, mode: off }]\n`;
let folder: string;
let file: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'dhcp-file-'));
  file = join(folder, 'dhcp.yaml');
  await writeFile(file, subnet('one'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

async function watching() {
  const applied: (string | undefined)[] = [];
  const lines: string[] = [];
  const log = (line: string) => void lines.push(line);
  const metrics = new Metrics();
  let now = 0;
  const port = { isTaken: true };
  const watch = new DhcpFileWatch(
    file,
    await readDhcpFile(file),
    ({ subnets }) => {
      if (subnets[0]?.name === 'proxy' && port.isTaken) return Promise.reject(new Error('port 4011 is taken'));
      applied.push(subnets[0]?.name);
      return Promise.resolve();
    },
    { metrics, log: { debug: log, info: log, warn: log, error: log }, clock: () => new Date((now += 1000)) },
  );
  const put = async (text: string, looks = 2) => {
    await writeFile(file, text);
    for (let i = 0; i < looks; i++) await watch.look();
  };
  return { watch, applied, lines, metrics, put, port };
}

describe('a DHCP file that changes', () => {
  it('is in force once it is the same at two looks: what is being written is not whole', async () => {
    const { watch, applied, put } = await watching();
    const { appliedAt } = watch.state;
    await put(subnet('two'), 1);
    await put(subnet('three'), 1);
    expect(applied).toEqual([]);
    await watch.look();
    await watch.look();
    expect(applied).toEqual(['three']);
    expect(watch.state.appliedAt).not.toBe(appliedAt);
  });
  it('is refused when it is wrong, told once, and forgotten when what is in force is put back', async () => {
    const { watch, applied, lines, metrics, put } = await watching();
    await put('subnets: [{ subnet: 10.1.0.0/24, mode: on }]', 5);
    expect(lines).toHaveLength(1);
    expect(lines[0]).toContain(
      `stays in force: BOOTS_DHCP_FILE cannot be used:\n${file}:1:40: subnets[0].mode: must be`,
    );
    expect(watch.state.fault).toContain('subnets[0].mode');
    expect(metrics.text({})).toContain('boots_dhcp_file_ok 0');
    await put(subnet('one'));
    expect(watch.state.fault).toBeUndefined();
    expect(metrics.text({})).toContain('boots_dhcp_file_ok 1');
    expect(applied).toEqual([]);
  });
  it.each(['', '{}'])('is refused when nothing is in it: %j', async (text) => {
    const { watch, applied, put } = await watching();
    await put(text);
    expect(watch.state.fault).toContain('names neither subnets nor classes');
    expect(applied).toEqual([]);
  });
  it('is told of when it is gone, and taken when it is there again', async () => {
    const { watch, applied, put } = await watching();
    await unlink(file);
    await watch.look();
    expect(watch.state.fault).toContain('no such file');
    await put(subnet('one'));
    expect([watch.state.fault, applied]).toEqual([undefined, []]);
    await put(subnet('two'));
    expect(applied).toEqual(['two']);
  });
  it('is refused as a whole when what it asks for cannot be had, told once, and in force when it can', async () => {
    const { watch, applied, lines, put, port } = await watching();
    await put(subnet('proxy'), 5);
    expect(watch.state.fault).toBe('port 4011 is taken');
    expect([lines.length, applied]).toEqual([1, []]);
    port.isTaken = false;
    await watch.look();
    expect([watch.state.fault, applied]).toEqual([undefined, ['proxy']]);
  });
});
