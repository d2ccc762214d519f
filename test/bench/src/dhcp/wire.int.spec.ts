import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { startOn } from './ours';
import { openWire, type Wire } from './wire';

const isRoot = process.getuid?.() === 0 && existsSync('/usr/sbin/ip');
if (!isRoot) console.warn('SKIPPED: the wire of the DHCP benches: needs root and iproute2');

const place = { name: 'tspec', host: '169.254.218' } as const;
const holder = join(tmpdir(), 'tink-tspec.pid');
const ip = (...args: readonly string[]) => execFileSync('ip', [...args], { stdio: ['ignore', 'pipe', 'ignore'] });
const open = async () => (wire = await openWire(place));

let wire: Wire | undefined;
afterEach(async () => {
  await wire?.close();
  wire = undefined;
  await rm(holder, { force: true });
});

const isGone = () =>
  !existsSync('/run/netns/tspec-s') && !existsSync('/run/netns/tspec-c') && !existsSync('/sys/class/net/tspec0');

describe.skipIf(!isRoot)('the wire of a bench', () => {
  it('takes all that runs on it along', async () => {
    const { server, client, close } = await open();
    const programs = [server(['sleep', '1000']), client(['sleep', '1000'])];
    const ends = programs.map((program) => once(program, 'exit'));
    await Promise.all(programs.map((program) => once(program, 'spawn')));
    await close();
    expect(await Promise.all(ends)).toHaveLength(2);
    expect(isGone()).toBe(true);
  });

  it('begins anew after a run that was killed', async () => {
    ip('netns', 'add', 'tspec-s');
    ip('link', 'add', 'tspec0', 'type', 'veth', 'peer', 'name', 'up0', 'netns', 'tspec-s');
    const left = spawn('nsenter', ['--net=/run/netns/tspec-s', '--', 'sh', '-c', 'echo there; exec sleep 1000']);
    const ended = once(left, 'exit');
    await once(left.stdout, 'data');
    await writeFile(holder, '999999999');
    await open();
    await ended;
    expect(await readFile(holder, 'utf8')).toBe(String(process.pid));
  });

  it('leaves the wire to another bench that has it', async () => {
    await writeFile(holder, String(process.ppid));
    await expect(openWire(place)).rejects.toThrow(`another bench runs on tspec0: process ${process.ppid}`);
  });

  it('is free again when boots does not start on it', async () => {
    const { close, ...on } = await open();
    const broken = { ...on, server: () => on.server(['sh', '-c', 'echo {; exec sleep 1000']) };
    const nats = { url: 'nats://127.0.0.1:1', server: {} } as Parameters<typeof startOn>[0];
    await expect(startOn(nats, broken, {})).rejects.toThrow('JSON');
    expect(ip('netns', 'pids', 'tspec-s').toString()).toBe('');
    await close();
    expect(isGone()).toBe(true);
  });
});
