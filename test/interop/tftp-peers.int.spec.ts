// TFTP clients that we did not write, against our server: tftp-hpa, atftp, curl, BusyBox and the npm package tftp2, also over a bad network.
import { execFile } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { decodeTftp, encodeTftp } from '@tinkerbell/tftp';
import { Client as tftp2Client } from 'tftp2';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startBootsOnLoopback } from './net/boots-on-loopback';
import type { Losses } from './net/accidents';
import { startLossyUdp } from './net/lossy-udp';

const run = promisify(execFile);
const bytes = (length: number) => Uint8Array.from({ length }, (_, i) => (i * 31 + (i >> 9)) & 0xff);
const files = {
  'undionly.kpxe': bytes(73_191),
  'even.efi': bytes(512 * 40),
  'empty.efi': new Uint8Array(),
  // More than 65535 blocks of 512 bytes.
  'large.efi': bytes(65_540 * 512 + 7),
};
let boots: Awaited<ReturnType<typeof startBootsOnLoopback>>;
let folder: string;
beforeAll(async () => {
  boots = await startBootsOnLoopback(files);
  folder = await mkdtemp(join(tmpdir(), 'tftp-'));
});
afterAll(async () => {
  await boots.close();
  await rm(folder, { recursive: true, force: true });
});
const same = (got: Uint8Array, name: keyof typeof files) => Buffer.from(files[name]).equals(got);

async function curl(name: string, port: number, ...flags: readonly string[]): Promise<Buffer> {
  const out = join(folder, 'curl');
  await rm(out, { force: true });
  await run('curl', ['-sS', '--max-time', '100', ...flags, '-o', out, `tftp://127.0.0.1:${port}/${name}`]);
  // An empty file is one that curl does not create.
  return existsSync(out) ? readFile(out) : Buffer.alloc(0);
}

async function hpa(name: string, mode = 'binary'): Promise<Buffer> {
  const out = join(folder, 'hpa');
  await rm(out, { force: true });
  await run('tftp', ['-4', '-m', mode, '127.0.0.1', String(boots.tftp.port), '-c', 'get', name, out], { cwd: folder });
  return existsSync(out) ? readFile(out) : Buffer.alloc(0);
}

async function npmTftp2(name: string, port: number): Promise<Buffer> {
  const client = tftp2Client('127.0.0.1', port);
  const parts: Buffer[] = [];
  await client.read(
    name,
    async (block) => void parts.push(Buffer.from(block)),
    () => undefined,
  );
  client.close();
  return Buffer.concat(parts);
}

async function serverSaw(file: string, size: number): Promise<void> {
  for (;;) {
    const served = (await boots.events()).filter((event) => event.type === 'BootFileServed');
    if (served.some(({ data }) => data.file === file && data.bytes === size && data.protocol === 'tftp')) return;
    await new Promise((resolve) => setImmediate(resolve));
  }
}

/** RFC 7440 §4, the receiving side: no client in Debian does windows. Repeats its last word when nothing comes. */
function readInWindows(file: string, serverPort: number): Promise<Buffer> {
  const socket = createSocket('udp4');
  const options = new Map(Object.entries({ windowsize: '8', blksize: '512', timeout: '1' }));
  const parts: Uint8Array[] = [];
  let peer = serverPort;
  let last = encodeTftp({ op: 'rrq', file, mode: 'octet', options });
  const say = (packet = last) => {
    last = packet;
    socket.send(packet, peer, '127.0.0.1');
  };
  const acknowledge = () => say(encodeTftp({ op: 'ack', block: parts.length & 0xffff }));
  return new Promise((resolve) => {
    const repeat = setInterval(() => say(), 300);
    socket.on('message', (bytes, { port }) => {
      const packet = decodeTftp(bytes);
      peer = port;
      if (packet.op === 'oack') return acknowledge();
      if (packet.op !== 'data') return;
      const isNext = packet.block === ((parts.length + 1) & 0xffff);
      if (isNext) parts.push(packet.data);
      const isLast = isNext && packet.data.length < 512;
      if (isLast || !isNext || parts.length % 8 === 0) acknowledge();
      if (!isLast) return;
      clearInterval(repeat);
      setImmediate(() => socket.close());
      resolve(Buffer.concat(parts));
    });
    say();
  });
}

const hasCurl = existsSync('/usr/bin/curl');
const hasHpa = existsSync('/usr/bin/tftp');
const hasAtftp = existsSync('/usr/bin/atftp');
const hasBusybox = ['/usr/bin/busybox', '/bin/busybox'].some((path) => existsSync(path));
if (!hasAtftp) console.warn('SKIPPED: atftp: needs the package atftp');
if (!hasBusybox) console.warn('SKIPPED: BusyBox tftp: needs busybox');

describe.skipIf(!hasCurl)('curl', () => {
  it.each([512, 1024, 1468, 65_464])('takes a file in blocks of %d', async (size) =>
    expect(same(await curl('undionly.kpxe', boots.tftp.port, '--tftp-blksize', String(size)), 'undionly.kpxe')).toBe(
      true,
    ),
  );
  it('takes a file whose last block is empty', async () =>
    expect(same(await curl('even.efi', boots.tftp.port), 'even.efi')).toBe(true));
  // curl 7.88 calls the answer to tsize illegal when it is 0.
  it('takes an empty file', async () =>
    expect(await curl('empty.efi', boots.tftp.port, '--tftp-no-options')).toHaveLength(0));
  it('takes more than 65535 blocks', async () => {
    expect(same(await curl('large.efi', boots.tftp.port, '--tftp-blksize', '512'), 'large.efi')).toBe(true);
    await serverSaw('large.efi', files['large.efi'].length);
  });
  it('works without options', async () =>
    expect(same(await curl('undionly.kpxe', boots.tftp.port, '--tftp-no-options'), 'undionly.kpxe')).toBe(true));
  it('is told that a file is not there, and that it may not write', async () => {
    // 68: file not found; 69: access violation.
    await expect(curl('autoexec.ipxe', boots.tftp.port)).rejects.toMatchObject({ code: 68 });
    await expect(curl('..%2f..%2fetc%2fpasswd', boots.tftp.port)).rejects.toMatchObject({ code: 69 });
    const upload = ['-sS', '-T', join(folder, '..', '..', 'etc', 'hostname'), `tftp://127.0.0.1:${boots.tftp.port}/x`];
    await expect(run('curl', upload)).rejects.toMatchObject({ code: 69 });
  });
  it('gets along with a single port', async () => {
    const single = await startBootsOnLoopback(files, { BOOTS_TFTP_SINGLE_PORT: 'true' });
    try {
      expect(same(await curl('undionly.kpxe', single.tftp.port), 'undionly.kpxe')).toBe(true);
    } finally {
      await single.close();
    }
  });
});

describe.skipIf(!hasHpa)('tftp-hpa', () => {
  it.each(['undionly.kpxe', 'even.efi', 'empty.efi'] as const)('takes %s', async (name) =>
    expect(same(await hpa(name), name)).toBe(true),
  );
  it('takes text', async () => {
    const { 'undionly.kpxe': wanted } = files;
    // The client turns netascii back into what it was.
    expect(Buffer.from(wanted).equals(await hpa('undionly.kpxe', 'ascii'))).toBe(true);
  });
});

async function got(program: string, args: readonly string[], out: string): Promise<Buffer> {
  await rm(out, { force: true });
  await run(program, [...args], { cwd: folder });
  return existsSync(out) ? readFile(out) : Buffer.alloc(0);
}

describe.skipIf(!hasAtftp)('atftp', () => {
  const atftp = (name: string, port: number, ...options: readonly string[]) => {
    const out = join(folder, 'atftp');
    const flags = options.flatMap((option) => ['--option', option]);
    return got('atftp', [...flags, '-g', '-r', name, '-l', out, '127.0.0.1', String(port)], out);
  };
  it.each([
    { options: [] },
    { options: ['blksize 1468'] },
    { options: ['windowsize 16'] },
    { options: ['blksize 1024', 'windowsize 5', 'tsize 0', 'timeout 1'] },
  ])('takes files with options $options', async ({ options }) => {
    for (const name of ['undionly.kpxe', 'even.efi'] as const) {
      expect(same(await atftp(name, boots.tftp.port, ...options), name)).toBe(true);
    }
  });
  it('takes more than 65535 blocks in windows', async () =>
    expect(same(await atftp('large.efi', boots.tftp.port, 'windowsize 32'), 'large.efi')).toBe(true));
});

describe.skipIf(!hasBusybox)('BusyBox', () => {
  const busybox = (name: string, port: number, ...flags: readonly string[]) => {
    const out = join(folder, 'busybox');
    return got('busybox', ['tftp', '-g', ...flags, '-r', name, '-l', out, '127.0.0.1', String(port)], out);
  };
  it.each([{ flags: [] }, { flags: ['-b', '1468'] }, { flags: ['-b', '65464'] }])(
    'takes files, flags $flags',
    async ({ flags }) => {
      for (const name of ['undionly.kpxe', 'even.efi', 'empty.efi'] as const) {
        expect(same(await busybox(name, boots.tftp.port, ...flags), name)).toBe(true);
      }
    },
  );
});

describe('the npm package tftp2', () => {
  it.each(['undionly.kpxe', 'even.efi', 'empty.efi'] as const)('takes %s', async (name) =>
    expect(same(await npmTftp2(name, boots.tftp.port), name)).toBe(true),
  );
});

describe('a bad network', () => {
  const losses: readonly Losses[] = [
    { drop: 0.05, duplicate: 0, reorder: 0, seed: 1 },
    { drop: 0, duplicate: 0.2, reorder: 0, seed: 2 },
    { drop: 0, duplicate: 0, reorder: 0.1, seed: 3 },
    { drop: 0.04, duplicate: 0.1, reorder: 0.05, seed: 4 },
  ];
  it.skipIf(!hasCurl).each(losses)('%j: curl gets the file', async (loss) => {
    const network = await startLossyUdp(boots.tftp.port, loss);
    try {
      // With options curl asks for a timeout of 6 s, and every lost packet would cost as much.
      expect(same(await curl('even.efi', network.port, '--tftp-no-options'), 'even.efi')).toBe(true);
      const { drop, duplicate, reorder } = network.accidents;
      expect(drop + duplicate + reorder).toBeGreaterThan(0);
    } finally {
      await network.close();
    }
  });

  it.each(losses)('%j: windows of 8 blocks arrive', async (loss) => {
    const network = await startLossyUdp(boots.tftp.port, loss);
    try {
      expect(same(await readInWindows('undionly.kpxe', network.port), 'undionly.kpxe')).toBe(true);
    } finally {
      await network.close();
    }
  });

  it('a client that answers everything twice does not get everything twice', async () => {
    const socket = createSocket('udp4');
    await new Promise<void>((resolve) => socket.bind({ address: '127.0.0.1' }, resolve));
    const blocks: number[] = [];
    await new Promise<void>((resolve) => {
      socket.on('message', (packet, { port }) => {
        const read = decodeTftp(packet);
        if (read.op !== 'data') return;
        blocks.push(read.block);
        const ack = encodeTftp({ op: 'ack', block: read.block });
        socket.send(ack, port, '127.0.0.1');
        socket.send(ack, port, '127.0.0.1', () => (read.data.length < 512 ? resolve() : undefined));
      });
      const request = encodeTftp({ op: 'rrq', file: 'even.efi', mode: 'octet', options: new Map() });
      socket.send(request, boots.tftp.port, '127.0.0.1');
    });
    socket.close();
    expect(blocks).toEqual(Array.from({ length: 41 }, (_, i) => i + 1));
  });
});

describe('malformed packets', () => {
  it('are dropped at every length, and the next client is served', async () => {
    const socket = createSocket('udp4');
    const request = encodeTftp({
      op: 'rrq',
      file: 'even.efi',
      mode: 'octet',
      options: new Map([
        ['blksize', '1024'],
        ['tsize', '0'],
      ]),
    });
    for (let length = 0; length < request.length; length++) {
      socket.send(request.subarray(0, length), boots.tftp.port, '127.0.0.1');
    }
    for (let opcode = 0; opcode < 12; opcode++)
      socket.send(Uint8Array.of(0, opcode, 255, 255, 1), boots.tftp.port, '127.0.0.1');
    expect(same(await npmTftp2('even.efi', boots.tftp.port), 'even.efi')).toBe(true);
    socket.close();
    expect(boots.metrics.total('tftp_dropped_total', { reason: 'malformed' })).toBeGreaterThan(20);
  });
});
