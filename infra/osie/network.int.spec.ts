import { execFile, execFileSync } from 'node:child_process';
import { copyFileSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

const busybox = '/bin/busybox';
const cannot = process.getuid?.() !== 0 ? 'root' : existsSync(busybox) ? '' : busybox;

/** What it would do to the network is written down. */
const shell = (ipam: string) => `say() { echo "$*"; }
ip() { echo "ip $*"; }
hostname() { echo "hostname $*"; }
. /etc/network.sh
interface=eth0
ipam='${ipam}'
static_network
`;

describe.skipIf(cannot !== '')(`the network of a machine without DHCP${cannot && ` (missing: ${cannot})`}`, () => {
  let dir = '';
  beforeEach(() => {
    dir = mkdtempSync(join(tmpdir(), 'network-'));
    for (const folder of ['bin', 'etc', 'proc']) mkdirSync(join(dir, folder));
    copyFileSync(busybox, join(dir, 'bin/busybox'));
    execFileSync(busybox, ['chroot', dir, '/bin/busybox', '--install', '-s', '/bin']);
    writeFileSync(join(dir, 'proc/cmdline'), 'quiet');
    copyFileSync('infra/osie/files/network.sh', join(dir, 'etc/network.sh'));
  });
  afterEach(() => rmSync(dir, { recursive: true, force: true }));

  async function given(ipam: string): Promise<readonly string[]> {
    writeFileSync(join(dir, 'etc/run'), shell(ipam));
    const env = { PATH: '/bin' };
    const { stdout } = await promisify(execFile)(busybox, ['chroot', dir, '/bin/sh', '/etc/run'], { env });
    return [...stdout.split('\n'), ...readFileSync(join(dir, 'etc/resolv.conf'), 'utf8').split('\n')].filter(
      (line) => line !== '',
    );
  }

  it('is by IPv4 as the original writes it', async () =>
    expect(await given('52-54-00-99-06-02:7:10.0.0.5:255.255.252.0:10.0.0.1:four:1.1.1.1,8.8.8.8')).toEqual([
      'ip addr replace 10.0.0.5/22 dev eth0',
      'ip -4 route replace default via 10.0.0.1 dev eth0',
      'hostname four',
      'network eth0 10.0.0.5/22 static',
      'nameserver 1.1.1.1',
      'nameserver 8.8.8.8',
    ]));

  it('is by IPv6 where the addresses stand in brackets', async () =>
    expect(await given('52-54-00-99-06-02::[fd99::12]:64:[fe80::1]:six:[fd99::1],[2001:db8:0:1::53]')).toEqual([
      'ip addr replace fd99::12/64 dev eth0',
      'ip -6 route replace default via fe80::1 dev eth0',
      'hostname six',
      'network eth0 fd99::12/64 static',
      'nameserver fd99::1',
      'nameserver 2001:db8:0:1::53',
    ]));

  it('needs neither gateway nor names', async () =>
    expect(await given('52-54-00-99-06-02::[fd99::12]:48:::')).toEqual([
      'ip addr replace fd99::12/48 dev eth0',
      'network eth0 fd99::12/48 static',
    ]));
});
