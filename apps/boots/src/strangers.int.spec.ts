import { createSocket } from 'node:dgram';
import { writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { decodeTftp, encodeTftp } from '@tinkerbell/tftp';
import { afterEach, describe, expect, it } from 'vitest';
import { type Bench, machineAddress, startBench } from './boots.testing';
import type { AnyEvent } from '@tinkerbell/events';
import { leaseTime, option, readOption, requestedAddress, serverIdentifier } from '@tinkerbell/dhcp';
import { subjects } from '@tinkerbell/messaging';
import { firmware, requestOf } from './dhcp/requests.testing';

const stranger = '127.0.0.9';
const path = '01:02:03:04:05:06';
const program = 'my.kpxe';
/** What only the machine itself fetches. Facts are stored in order: once this one is there, an earlier one would be. */
const own = 'own.kpxe';

let bench: Bench | undefined;
afterEach(async () => {
  await bench?.close();
  bench = undefined;
});

async function start(...options: Parameters<typeof startBench>) {
  bench = await startBench(...options);
  for (const name of [program, own]) await writeFile(join(bench.folders.ipxe, name), 'a program');
  await bench.lease();
  return bench;
}

const typesOf = async ({ events }: Bench, type: string) =>
  (await events()).filter((event) => event.type === type).length;

const filesOf = async ({ events }: Bench) =>
  (await events()).flatMap((event) => (event.type === 'BootFileServed' ? [event.data.file] : []));

/** Fetches a file of one block by TFTP. */
async function tftp(port: number, from: string, file: string): Promise<string> {
  const socket = createSocket('udp4');
  await new Promise<void>((resolve) => socket.bind({ address: from, port: 0 }, resolve));
  try {
    return await new Promise((resolve, reject) => {
      socket.on('message', (bytes, peer) => {
        const packet = decodeTftp(bytes);
        if (packet.op !== 'data') return reject(new Error(`${packet.op} in place of data`));
        const ack = encodeTftp({ op: 'ack', block: packet.block });
        socket.send(ack, peer.port, peer.address, () => resolve(Buffer.from(packet.data).toString()));
      });
      socket.send(encodeTftp({ op: 'rrq', file, mode: 'octet', options: new Map() }), port, '127.0.0.1');
    });
  } finally {
    socket.close();
  }
}

describe('a stranger who names the MAC of a machine', () => {
  it('gets files over HTTP, and the machine’s stream stays as it is', async () => {
    const running = await start({});
    const { http, boots } = running;
    const total = () => boots.metrics.total('boot_files_total', { protocol: 'http' });
    expect((await http(`/${path}/${program}`, { from: stranger })).body).toBe('a program');
    await expect.poll(total).toBe(1);
    await http(`/${path}/${own}`);
    await expect.poll(() => filesOf(running)).toContain(own);
    expect(await filesOf(running)).toEqual([own]);
  });

  it('gets files over TFTP, and the machine’s stream stays as it is', async () => {
    const running = await start({});
    const { port } = running.boots.tftp;
    const total = () => running.boots.metrics.total('boot_files_total', { protocol: 'tftp' });
    expect(await tftp(port, stranger, `${path}/${program}`)).toBe('a program');
    await expect.poll(total).toBe(1);
    expect(await tftp(port, machineAddress, `${path}/${own}`)).toBe('a program');
    await expect.poll(() => filesOf(running)).toContain(own);
    expect(await filesOf(running)).toEqual([own]);
  });

  it('cannot pretend that the machine has loaded its program', async () => {
    const running = await start({ interface: { ipxe: { url: '', contents: '', binary: program } } });
    const { http, lease, boots } = running;
    const rom = firmware(0, 'PXEClient', 'iPXE');
    await http(`/${path}/${program}`, { from: stranger });
    await expect.poll(() => boots.metrics.total('boot_files_total')).toBe(1);
    expect((await lease(...rom)).file).toContain(program);
  });

  it('gets the way to the own disk, and nothing is recorded or forgotten', async () => {
    const running = await start({ interface: { allow_pxe: false } });
    const { http } = running;
    const theirs = await http(`/${path}/auto.ipxe`, { from: stranger });
    expect(theirs.body).toContain('booting its own disk');
    expect(await typesOf(running, 'BootScriptServed')).toBe(0);
    expect((await http(`/${path}/auto.ipxe`)).body).toBe(theirs.body);
    expect(await typesOf(running, 'BootScriptServed')).toBe(1);
  });
});

describe('a machine without a record that has an address of a pool', () => {
  const pooled = '127.0.1.10';
  const pool = `
subnets:
  - subnet: 127.0.0.0/8
    discovery: true
    probe: false
    pools: [{ ranges: [${pooled}] }]
`;
  const chaddr = Uint8Array.of(2, 0, 0, 0, 0, 9);
  const theirs = '02-00-00-00-00-09';

  async function startPooled() {
    const file = join(tmpdir(), `dhcp-${process.pid}-${Math.random()}.yaml`);
    await writeFile(file, pool);
    return start({ settings: { BOOTS_DHCP_FILE: file } });
  }
  const lease = ({ dhcp }: Bench, options: readonly (readonly [number, Uint8Array])[]) => {
    const wish = [option(serverIdentifier, '127.0.0.1'), option(requestedAddress, pooled)];
    return dhcp(requestOf('request', [...wish, ...options], { chaddr }));
  };
  const told = async ({ store }: Bench) =>
    (await store.read<AnyEvent>(subjects.stream('boot', theirs))).events.map(({ event: { type, data } }) => {
      const step = 'file' in data ? `${data.protocol} ${data.file}` : 'script' in data ? data.script : '';
      return `${type} ${step}`.trim();
    });

  it('is told of from DHCP to its kernel, and what it was not served', async () => {
    const running = await startPooled();
    const { http, boots, folders } = running;
    await writeFile(join(folders.osie, 'vmlinuz-x86_64'), 'a kernel');
    const ack = await lease(running, firmware(7));
    expect([ack.yiaddr, readOption(ack.options, leaseTime)]).toEqual([pooled, expect.any(Number)]);
    await tftp(boots.tftp.port, pooled, program);
    await expect.poll(() => told(running)).toContain(`BootFileServed tftp ${program}`);
    expect((await http('/02:00:00:00:00:09/auto.ipxe', { from: pooled })).body).toContain('tink_mode=discovery');
    expect((await http('/osie/vmlinuz-x86_64', { from: pooled })).body).toBe('a kernel');
    await expect.poll(() => told(running)).toContain('BootFileServed http vmlinuz-x86_64');
    await http('/osie/none', { from: pooled });
    const started = JSON.stringify({ type: 'osie.started', uptimeSeconds: 4 });
    expect((await http('/phone-home', { method: 'POST', body: started, from: pooled })).status).toBe(200);
    expect((await http('/phone-home', { method: 'POST', body: '', from: pooled })).status).toBe(404);
    await expect
      .poll(() => told(running))
      .toEqual([
        'NetbootOffered',
        `BootFileServed tftp ${program}`,
        'BootScriptServed discovery',
        'BootFileServed http vmlinuz-x86_64',
        'BootRequestFailed',
        'OsieStarted',
      ]);
    const { events } = await running.store.read<AnyEvent>(subjects.stream('boot', theirs));
    expect(events[1]?.event).toMatchObject({
      v: 2,
      data: { hardwareId: null, mac: theirs, address: pooled, protocol: 'tftp', bytes: 9 },
    });
  });

  it('is not told of when it was offered nothing to boot', async () => {
    const running = await startPooled();
    await lease(running, []);
    await tftp(running.boots.tftp.port, pooled, program);
    await tftp(running.boots.tftp.port, machineAddress, own);
    await expect.poll(() => filesOf(running)).toContain(own);
    expect(await told(running)).toEqual([]);
  });
});
