import { createHash } from 'node:crypto';
import { createSocket } from 'node:dgram';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { subjects } from '@tinkerbell/messaging';
import { hardwareUpdated } from '@tinkerbell/testing';
import { decodeTftp, encodeTftp } from '@tinkerbell/tftp';
import { afterEach, describe, expect, it } from 'vitest';
import { type Bench, machineAddress, recordAt, startBench } from '../boots.testing';
import type { AnyEvent } from '@tinkerbell/events';
import { firmware, hardwareId, raspberryRequest } from '../dhcp/requests.testing';

let bench: Bench | undefined;
let raspberry = '';
afterEach(async () => {
  await bench?.close();
  await rm(raspberry, { recursive: true, force: true });
  bench = undefined;
});

async function start(options: Omit<Parameters<typeof startBench>[0], 'settings'> = {}) {
  raspberry = await mkdtemp(join(tmpdir(), 'raspberry-'));
  await mkdir(join(raspberry, 'overlays'));
  await writeFile(join(raspberry, 'start4.elf'), 'firmware');
  await writeFile(join(raspberry, 'overlays/a.dtbo'), 'overlay');
  bench = await startBench({ ...options, settings: { BOOTS_RASPBERRY_DIR: raspberry } });
  await writeFile(join(bench.folders.osie, 'vmlinuz-x86_64'), 'kernel');
  await writeFile(join(bench.folders.osie, 'initramfs-x86_64'), 'initrd');
  if (options.mac === undefined) await bench.lease(...firmware(0));
  return bench;
}

/** Blocks of 512 bytes; an error as `error <code> <message>`. */
async function tftp({ boots }: Bench, file: string, from = machineAddress): Promise<string> {
  const socket = createSocket(from.includes(':') ? 'udp6' : 'udp4');
  await new Promise<void>((resolve) => socket.bind({ address: from, port: 0 }, resolve));
  try {
    return await new Promise((resolve) => {
      let text = '';
      socket.on('message', (bytes, peer) => {
        const packet = decodeTftp(bytes);
        if (packet.op === 'error') return resolve(`error ${packet.code} ${packet.message}`);
        if (packet.op !== 'data') return;
        text += Buffer.from(packet.data).toString();
        socket.send(encodeTftp({ op: 'ack', block: packet.block }), peer.port, peer.address, () => {
          if (packet.data.length < 512) resolve(text);
        });
      });
      const request = encodeTftp({ op: 'rrq', file, mode: 'octet', options: new Map() });
      socket.send(request, boots.tftp.port, from.includes(':') ? '::1' : '127.0.0.1');
    });
  } finally {
    socket.close();
  }
}

const stranger = '127.0.0.9';
const scripts = async ({ events }: Bench) =>
  (await events()).flatMap((event) => (event.type === 'BootScriptServed' ? [event.data.script] : []));
const failures = async ({ events }: Bench) =>
  (await events()).flatMap(({ type, data }) => (type === 'BootRequestFailed' ? [data] : []));
const formats = async ({ events }: Bench) =>
  (await events()).flatMap((event) => (event.type === 'BootScriptServed' ? [event.data.format] : []));

describe.each([
  ['TFTP', tftp],
  ['HTTP', async ({ http }: Bench, path: string, from = machineAddress) => (await http(`/${path}`, { from })).body],
] as const)('by %s', (_, fetch) => {
  it.each([
    'pxelinux.cfg/01-01-02-03-04-05-06',
    '01:02:03:04:05:06/pxelinux.cfg/01-01-02-03-04-05-06',
    'pxelinux.cfg/7F000005',
    'pxelinux.cfg/default',
  ])('PXELINUX gets %s', async (path) => {
    const running = await start();
    expect(await fetch(running, path)).toMatch(
      /KERNEL ::osie\/vmlinuz-x86_64\n {2}INITRD .*\n {2}APPEND .* tink_token=\S{43}\n/,
    );
    expect(await scripts(running)).toEqual(['osie']);
    expect(await formats(running)).toEqual(['PXELINUX']);
  });

  it.each(['grub/grub.cfg', 'grub/grub.cfg-01-01-02-03-04-05-06', 'grub/grub.cfg-7F000005'])(
    'GRUB gets %s',
    async (path) => {
      const running = await start();
      expect(await fetch(running, path)).toMatch(
        /if linux '\(tftp,127\.0\.0\.1\)\/osie\/vmlinuz-x86_64' 'console=tty0'/,
      );
      expect(await scripts(running)).toEqual(['osie']);
      expect(await formats(running)).toEqual(['GRUB']);
    },
  );

  it('GRUB, which looks for it before it reads it, is given the same one twice, and a new one at its next boot', async () => {
    const running = await start();
    const ask = () => fetch(running, 'grub/grub.cfg-01-01-02-03-04-05-06');
    const [looked, read] = [await ask(), await ask()];
    expect(read).toBe(looked);
    await running.lease(...firmware(0));
    const next = await ask();
    expect(next).not.toBe(looked);
    const told = fetch === tftp ? ['BootScriptServed', 'BootFileServed'] : ['BootScriptServed'];
    const types = async () => (await running.events()).map(({ type }) => type).filter((type) => told.includes(type));
    await expect.poll(types).toEqual([...told, ...told]);
  });

  it('GRUB is led to it from the folder of its architecture', async () => {
    const running = await start();
    expect(await fetch(running, 'grub/x86_64-efi/grub.cfg')).toBe('source $prefix/grub.cfg\n');
    expect(await fetch(running, 'osie/vmlinuz-x86_64')).toBe('kernel');
    expect(await scripts(running)).toEqual([]);
  });

  it('GRUB gets its modules, lists and fonts from the folder of the boot programs, and nothing else there', async () => {
    const running = await start();
    for (const folder of ['i386-pc', 'fonts'])
      await mkdir(join(running.folders.ipxe, 'grub', folder), { recursive: true });
    for (const file of [
      'i386-pc/echo.mod',
      'i386-pc/fs.lst',
      'fonts/unicode.pf2',
      'i386-pc/core.0',
      'i386-pc/grub.cfg',
    ])
      await writeFile(join(running.folders.ipxe, 'grub', file), `content of ${file}`);
    for (const file of ['i386-pc/echo.mod', 'i386-pc/fs.lst', 'fonts/unicode.pf2'])
      expect(await fetch(running, `grub/${file}`)).toBe(`content of ${file}`);
    expect(await fetch(running, 'grub/i386-pc/grub.cfg')).toBe('source $prefix/grub.cfg\n');
    expect(await fetch(running, 'core.0')).toBe('content of i386-pc/core.0');
    for (const file of ['i386-pc/core.0', 'i386-pc/tftp.mod', 'i386-pc/../../secret.mod'])
      expect(await fetch(running, `grub/${file}`)).toMatch(/not found|not a file of this server/);
  });

  it.each(['pxelinux.cfg/default', 'grub/grub.cfg'])(
    '%s names the program that fetches the root file system, with the digest of that, where there is one',
    async (path) => {
      const running = await start();
      const root = join(running.folders.osie, 'rootfs-x86_64');
      await writeFile(root, 'root');
      expect(await fetch(running, path)).toContain('osie/rootfs-x86_64');
      await writeFile(join(running.folders.osie, 'netroot-x86_64'), 'program');
      const digest = (text: string) => createHash('sha256').update(text).digest('hex');
      const told = await fetch(running, path);
      expect(told).toMatch(
        /osie\/initramfs-x86_64\S+osie\/netroot-x86_64|osie\/initramfs-x86_64' '\S+\/netroot-x86_64'/,
      );
      expect(told).toContain(`/osie/rootfs-x86_64`);
      expect(told).toContain(`tink_root_sha256=${digest('root')}`);
      await writeFile(root, 'another root');
      expect(await fetch(running, path)).toContain(`tink_root_sha256=${digest('another root')}`);
    },
  );

  it('what programs ask for just in case is no failure, and hides none', async () => {
    const running = await start();
    const extra = ['autoexec.ipxe', '01:02:03:04:05:06/revocations_sbat.efi', 'shim_certificate_0.efi'];
    const configs = ['pxelinux.cfg/4c4c4544-0001-0001-0001-000000000001', 'pxelinux.cfg/7F00', 'grub/grub.cfg-7F0000'];
    for (const path of [
      ...extra,
      ...configs,
      'grub/x86_64-efi/fs.lst',
      'grub/fonts/unicode.pf2',
      'grub/i386-pc/no.mod',
    ])
      expect(await fetch(running, path)).toMatch(/not found|not a file of this server/);
    const noModule = { reason: 'no-such-file', count: 1, detail: expect.stringContaining('no.mod') as string };
    await expect.poll(() => failures(running)).toMatchObject([noModule]);
  });

  it('a Raspberry Pi gets what it asks for below its serial number or its MAC', async () => {
    const running = await start();
    for (const folder of ['12ab34cd', '01-02-03-04-05-06']) {
      expect(await fetch(running, `${folder}/config.txt`)).toContain(
        'kernel=vmlinuz-x86_64\ninitramfs initramfs-x86_64,rootfs-x86_64 followkernel',
      );
      expect(await fetch(running, `${folder}/cmdline.txt`)).toMatch(
        /^console=tty0 console=serial0,115200 .*tink_token=\S{43}\n$/,
      );
      expect(await fetch(running, `${folder}/start4.elf`)).toBe('firmware');
      expect(await fetch(running, `${folder}/overlays/a.dtbo`)).toBe('overlay');
      expect(await fetch(running, `${folder}/vmlinuz-x86_64`)).toBe('kernel');
      expect(await fetch(running, `${folder}/recovery.elf`)).toMatch(/not found|not a file of this server/);
    }
    expect(await scripts(running)).toEqual(['osie', 'osie']);
    expect(await formats(running)).toEqual(['Raspberry Pi', 'Raspberry Pi']);
  });

  // The order is that of their documentation and of captures; what comes back as an error is what their firmware tries in vain.
  it.each([
    {
      model: 'Pi 3',
      asks: ['bootcode.bin', 'bootsig.bin'],
      below: ['start.elf', 'autoboot.txt', 'config.txt', 'recovery.elf', 'start.elf', 'fixup.dat', 'cmdline.txt'],
      found: 'bootcode.bin start.elf config.txt start.elf fixup.dat cmdline.txt vmlinuz-x86_64 initramfs-x86_64',
    },
    {
      model: 'Pi 4',
      asks: [],
      below: [
        ...['start4.elf', 'config.txt', 'pieeprom.sig', 'recover4.elf', 'recovery.elf', 'start4.elf', 'fixup4.dat'],
        ...['config.txt', 'dt-blob.bin', 'bcm2711-rpi-4-b.dtb', 'overlays/overlay_map.dtb', 'cmdline.txt'],
      ],
      found:
        'start4.elf config.txt start4.elf fixup4.dat config.txt bcm2711-rpi-4-b.dtb overlays/overlay_map.dtb cmdline.txt vmlinuz-x86_64 initramfs-x86_64',
    },
    {
      model: 'Pi 5',
      asks: [],
      below: [
        ...['start4.elf', 'config.txt', 'pieeprom.sig', 'tryboot.txt', 'bcm2712-rpi-5-b.dtb'],
        ...['overlays/bcm2712d0.dtbo', 'cmdline.txt', 'armstub8-2712.bin'],
      ],
      found:
        'start4.elf config.txt bcm2712-rpi-5-b.dtb overlays/bcm2712d0.dtbo cmdline.txt vmlinuz-x86_64 initramfs-x86_64',
    },
  ])('$model finds what it needs below its number, below its MAC, and in front', async ({ asks, below, found }) => {
    const running = await start();
    const firmware = ['bootcode.bin', 'start.elf', 'fixup.dat', 'start4.elf', 'fixup4.dat', 'bcm2711-rpi-4-b.dtb'];
    for (const name of [...firmware, ...['bcm2712-rpi-5-b.dtb', 'overlays/overlay_map.dtb', 'overlays/bcm2712d0.dtbo']])
      await writeFile(join(raspberry, name), `content of ${name}`);
    for (const folder of ['9ffefdef/', 'dc-a6-32-01-36-c2/', '']) {
      const names = [...below, 'vmlinuz-x86_64', 'initramfs-x86_64'].map((name) => `${folder}${name}`);
      const got: string[] = [];
      for (const name of [...asks, ...names]) {
        const text = await fetch(running, name);
        if (!/not found|not a file of this server/.test(text))
          got.push(name.slice(name.startsWith(folder) ? folder.length : 0));
      }
      expect(got.join(' ')).toBe(found);
    }
  });

  it('a Raspberry Pi that was given another prefix is told that nothing is there, and goes on in front', async () =>
    expect(await fetch(await start(), 'tftp_test/start4.elf')).toMatch(/not found|not a file of this server/));

  it('nobody gets the configuration of another machine', async () => {
    const running = await start();
    for (const path of ['pxelinux.cfg/01-01-02-03-04-05-06', 'grub/grub.cfg-01-01-02-03-04-05-06'])
      expect(await fetch(running, path, stranger)).toContain('does not hold the lease');
    for (const path of [
      'pxelinux.cfg/7F000005',
      'pxelinux.cfg/default',
      'grub/grub.cfg',
      ...['12ab34cd/cmdline.txt', '12ab34cd/config.txt', 'cmdline.txt', 'config.txt', 'vmlinuz-x86_64'],
    ])
      expect(await fetch(running, path, stranger)).toMatch(/not found/);
    for (const path of [
      'pxelinux.cfg/7F0000',
      'pxelinux.cfg/4c4c4544-0001-0001-0001-000000000001',
      'osie/../secret',
      '12ab34cd/../secret',
    ])
      expect(await fetch(running, path)).not.toMatch(/APPEND|not for machines/);
    expect(await scripts(running)).toEqual([]);
  });

  it('a machine that may not netboot is sent to its own disk', async () => {
    const running = await start({ interface: { allow_pxe: false } });
    expect(await fetch(running, 'pxelinux.cfg/default')).toContain('LOCALBOOT -1');
    expect(await fetch(running, 'grub/grub.cfg')).toContain('chainloader');
    expect(await scripts(running)).toEqual(['local', 'local']);
  });

  it('a Raspberry Pi that may not netboot gets nothing, so that it goes on with its own disk, and that is no failure', async () => {
    const running = await start({ interface: { allow_pxe: false } });
    const names = ['start4.elf', 'config.txt', 'fixup4.dat', 'kernel8.img', 'overlays/a.dtbo', 'cmdline.txt'];
    for (const name of names) expect(await fetch(running, `12ab34cd/${name}`)).toMatch(/^error 1|not found/);
    expect(await fetch(running, 'start4.elf')).toMatch(/^error 1|not found/);
    await expect.poll(() => scripts(running)).toEqual(['local']);
    expect(await formats(running)).toEqual(['Raspberry Pi']);
    expect(await failures(running)).toEqual([]);
    // The same for all.
    await writeFile(join(raspberry, 'boot.img'), 'an image');
    expect((await running.http('/net_install/boot.img')).body).toBe('an image');
  });

  it('what a Raspberry Pi asks for just in case is no failure, what it needs is one', async () => {
    const running = await start();
    const optional = ['pieeprom.sig', 'recover4.elf', 'recovery.elf', 'dt-blob.bin', 'overlays/overlay_map.dtb'];
    for (const name of [...optional, 'autoboot.txt', 'armstub8-gic.bin', 'bcm2711-rpi-4-b.dtb'])
      expect(await fetch(running, `12ab34cd/${name}`)).toMatch(/not found/);
    const detail = expect.stringContaining('bcm2711-rpi-4-b.dtb') as string;
    await expect.poll(() => failures(running)).toMatchObject([{ reason: 'no-such-file', detail }]);
  });

  it('a configuration that is refused is one failure', async () => {
    const running = await start();
    expect(await fetch(running, 'grub/grub.cfg-01-01-02-03-04-05-06', stranger)).toContain('does not hold the lease');
    await expect.poll(() => failures(running)).toMatchObject([{ reason: 'no-script' }]);
  });
});

describe('a Raspberry Pi', () => {
  const pi = 'b8-27-eb-28-f6-6d';

  it('that never asks for what it was offered has its configuration all the same', async () => {
    const running = await start({ mac: pi });
    const cmdline = () => tftp(running, '26f30339/cmdline.txt');
    expect(await cmdline()).toMatch(/^error 1 machine/);
    const offer = await running.dhcp(raspberryRequest('discover', pi));
    expect(offer).toMatchObject({ yiaddr: machineAddress, siaddr: '127.0.0.1', file: 'bootcode.bin' });
    expect(await cmdline()).toMatch(/ tink_token=\S{43}\n$/);
    expect(await tftp(running, '26f30339/cmdline.txt', stranger)).toMatch(/^error/);
  });

  it('that boots by HTTP gets the image and its signature, whole or in part', async () => {
    const running = await start();
    await writeFile(join(raspberry, 'boot.img'), 'an image');
    await writeFile(join(raspberry, 'boot.sig'), 'its signature');
    expect(await running.http('/net_install/boot.sig')).toMatchObject({ status: 200, body: 'its signature' });
    const first = await running.http('/net_install/boot.img', { headers: { Range: 'bytes=0-2' } });
    expect(first).toMatchObject({ status: 206, body: 'an ' });
    const headers = { Range: 'bytes=3-' };
    expect(await running.http('/net_install/boot.img', { headers })).toMatchObject({ status: 206, body: 'image' });
    expect((await running.http('/net_install/config')).status).toBe(404);
    const isImage = ({ type, data }: AnyEvent) =>
      type === 'BootFileServed' && data.file === 'boot.img' && data.role === 'nbp';
    await expect.poll(async () => (await running.events()).some(isImage)).toBe(true);
  });
});

describe('by IPv6', () => {
  it('GRUB gets its configuration by TFTP, and the address to fetch the root file system from', async () => {
    bench = await startBench({ settings: { BOOTS_DHCP: 'false', PUBLIC_IP6: '::1' } });
    await bench.append(subjects.stream('hardware', hardwareId), hardwareUpdated(recordAt('::1')));
    for (const name of ['vmlinuz', 'initramfs', 'netroot', 'rootfs'])
      await writeFile(join(bench.folders.osie, `${name}-x86_64`), name);
    const told = await tftp(bench, 'grub/grub.cfg', '::1');
    expect(told).toContain("if linux '(tftp,[::1])/osie/vmlinuz-x86_64'");
    expect(told).toMatch(/'tink_root=http:\/\/\[::1\]:\d+\/osie\/rootfs-x86_64'.* 'tink_root_from=::1'/);
    expect(told).toContain("initrd '(tftp,[::1])/osie/initramfs-x86_64' '(tftp,[::1])/osie/netroot-x86_64'");
  });
});
