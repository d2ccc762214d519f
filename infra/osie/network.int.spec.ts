import { execFile, execFileSync } from 'node:child_process';
import { copyFileSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

const busybox = '/bin/busybox';
const cannot = process.getuid?.() !== 0 ? 'root' : existsSync(busybox) ? '' : busybox;

/** What it would do to the network is written down. */
const shell = (command: string) => `say() { echo "$*"; }
ip() { echo "ip $*"; }
hostname() { echo "hostname $*"; }
dhcpcd() { echo "dhcpcd $*" >>/dev/asked; echo fd99::12 >/run/network6; }
udhcpc() { echo "udhcpc $*" >>/dev/asked; }
. /etc/network.sh
load_drivers() { :; }
${command}
wait
`;

describe.skipIf(cannot !== '')(`the network of OSIE${cannot && ` (missing: ${cannot})`}`, () => {
  let dir = '';
  const mac = '52:54:00:99:06:02';
  beforeEach(() => {
    dir = mkdtempSync(join(tmpdir(), 'network-'));
    for (const folder of ['bin', 'dev', 'etc', 'proc', 'run', 'sys/class/net/eth0', 'tmp', 'var/log'])
      mkdirSync(join(dir, folder), { recursive: true });
    writeFileSync(join(dir, 'dev/null'), '');
    writeFileSync(join(dir, 'sys/class/net/eth0/address'), `${mac}\n`);
    copyFileSync(busybox, join(dir, 'bin/busybox'));
    execFileSync(busybox, ['chroot', dir, '/bin/busybox', '--install', '-s', '/bin']);
    copyFileSync('infra/osie/files/network.sh', join(dir, 'etc/network.sh'));
  });
  afterEach(() => rmSync(dir, { recursive: true, force: true }));

  const linesOf = (text: string) => text.split('\n').filter((line) => line !== '');

  async function inOsie(command: string, cmdline = 'quiet'): Promise<readonly string[]> {
    writeFileSync(join(dir, 'proc/cmdline'), `${cmdline}\n`);
    writeFileSync(join(dir, 'etc/run'), shell(command));
    const env = { PATH: '/bin' };
    const { stdout } = await promisify(execFile)(busybox, ['chroot', dir, '/bin/sh', '/etc/run'], { env });
    return linesOf(stdout);
  }

  async function given(ipam: string): Promise<readonly string[]> {
    const did = await inOsie(`interface=eth0 ipam='${ipam}'; static_network`);
    return [...did, ...linesOf(readFileSync(join(dir, 'etc/resolv.conf'), 'utf8'))];
  }

  /** The programs that ask, by the kernel's command line. */
  async function asked(cmdline: string): Promise<readonly string[]> {
    await inOsie('network', `hw_addr=${mac} ${cmdline}`);
    return linesOf(readFileSync(join(dir, 'dev/asked'), 'utf8'))
      .map((line) => line.replace(/ .*/, ''))
      .sort();
  }

  it.each([
    ['tinkerbell=http://10.0.0.1', ['udhcpc']],
    ['tinkerbell=http://[fd99::1]', ['dhcpcd']],
    ['tinkerbell=http://10.0.0.1 osie_dual_stack', ['dhcpcd', 'udhcpc']],
    ['osie_dual_stack tinkerbell=http://[fd99::1]', ['dhcpcd', 'udhcpc']],
    ['quiet', ['udhcpc']],
  ])('is asked for by the family that it was started by: %s', async (cmdline, programs) =>
    expect(await asked(cmdline)).toEqual(programs),
  );

  it('of the program that fetches the root file system is the IPv6 address of the boot loader, and nobody is asked', async () => {
    const cmdline = `hw_addr=${mac} tinkerbell=http://[fd99::1] tink_root_from=fd99::12`;
    expect(await inOsie('network -q', cmdline)).toEqual([
      'ip link set eth0 up',
      'ip addr replace fd99::12/128 dev eth0',
      'network eth0 fd99::12/128, as the boot loader had it',
    ]);
    expect(existsSync(join(dir, 'dev/asked'))).toBe(false);
  });

  it('without DHCP is by IPv4 as the original writes it', async () =>
    expect(await given('52-54-00-99-06-02:7:10.0.0.5:255.255.252.0:10.0.0.1:four:1.1.1.1,8.8.8.8')).toEqual([
      'ip addr replace 10.0.0.5/22 dev eth0',
      'ip -4 route replace default via 10.0.0.1 dev eth0',
      'hostname four',
      'network eth0 10.0.0.5/22 static',
      'nameserver 1.1.1.1',
      'nameserver 8.8.8.8',
    ]));

  it('without DHCP is by IPv6 where the addresses stand in brackets', async () =>
    expect(await given('52-54-00-99-06-02::[fd99::12]:64:[fe80::1]:six:[fd99::1],[2001:db8:0:1::53]')).toEqual([
      'ip addr replace fd99::12/64 dev eth0',
      'ip -6 route replace default via fe80::1 dev eth0',
      'hostname six',
      'network eth0 fd99::12/64 static',
      'nameserver fd99::1',
      'nameserver 2001:db8:0:1::53',
    ]));

  it('without DHCP needs neither gateway nor names', async () =>
    expect(await given('52-54-00-99-06-02::[fd99::12]:48:::')).toEqual([
      'ip addr replace fd99::12/48 dev eth0',
      'network eth0 fd99::12/48 static',
    ]));
});
