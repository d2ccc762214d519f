import { createSocket } from 'node:dgram';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { decodeTftp, encodeTftp } from '@tinkerbell/tftp';
import { afterEach, describe, expect, it } from 'vitest';
import { type Bench, machineAddress, startBench } from './boots.testing';
import { firmware } from './dhcp/requests.testing';

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
