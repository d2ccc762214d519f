// UEFI HTTP boot by HTTPS: the firmware checks boots' certificate against the authority that is enrolled in it.
import { X509Certificate } from 'node:crypto';
import { existsSync } from 'node:fs';
import { copyFile, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { ensurePki, type Pki } from '@tinkerbell/identity';
import { hardwareInterface, hardwareRecord } from '@tinkerbell/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type BootsProcess, startBootsIn } from '../interop/net/boots-process';
import { createLab, type Lab } from './lab';
import { type Machine, powerOn } from './machine';
import { run } from './run';

const osie = resolve('.cache/osie/current');
const needed = ['/dev/net/tun', '/usr/bin/qemu-system-x86_64', '/usr/share/OVMF/OVMF_CODE_4M.fd'];
const absent = needed.filter((file) => !existsSync(file));
const cannot = process.getuid?.() !== 0 ? ['root'] : absent;
if (cannot.length > 0) console.warn(`SKIPPED: HTTPS boot: missing ${cannot.join(', ')}`);

const patience = 480_000;
const macs = ['52:54:00:96:00:01', '52:54:00:96:00:02'] as const;

describe.skipIf(cannot.length > 0)('a machine with UEFI HTTP boot', () => {
  let dir = '';
  let lab: Lab;
  let boots: BootsProcess;
  let machines: readonly [Machine, Machine];

  beforeAll(async () => {
    await run(process.execPath, 'infra/osie/build.mjs');
    dir = await mkdtemp(join(tmpdir(), 'https-boot-'));
    const programs = join(dir, 'programs');
    await mkdir(programs);
    await copyFile(resolve('.cache/ipxe/usr/lib/ipxe/ipxe-amd64.efi'), join(programs, 'ipxe.efi'));
    lab = await createLab(`tink-https-${process.pid}`, '10.96.0.1');
    const names = { ips: [lab.address], names: [] };
    const [pki, stranger] = (await Promise.all(
      ['ours', 'stranger'].map((name) => ensurePki(join(dir, name), names, new Date(), 'rsa')),
    )) as [Pki, Pki];
    const settings = {
      ...{ BOOTS_IPXE_DIR: programs, BOOTS_OSIE_DIR: osie, BOOTS_RA_INTERFACE: lab.bridge },
      ...{ BOOTS_HTTPS: 'true', BOOTS_HTTPS_CERT_FILE: pki.files.cert, BOOTS_HTTPS_KEY_FILE: pki.files.key },
    };
    const network = { server: lab.namespace, address: lab.address } as Parameters<typeof startBootsIn>[0];
    boots = await startBootsIn(network, { settings, hardware: macs.map(record) });
    const on = async (mac: string, authority: Pki) =>
      powerOn(lab, {
        ...{ name: `https-${mac.slice(-2)}`, firmware: 'uefi-http' as const, mac, dir },
        tlsAuthority: await enrolled(authority),
      });
    machines = [await on(macs[0], pki), await on(macs[1], stranger)];
  }, 600_000);

  afterAll(async () => {
    for (const machine of machines ?? []) await machine.off();
    await boots?.stop();
    await lab?.close();
    await rm(dir, { recursive: true, force: true });
  }, 60_000);

  /** What follows the loader comes by HTTPS too: iPXE trusts what the firmware trusts. */
  function record(mac: string, n: number) {
    const osieUrl = `https://${lab.address}/osie`;
    const small = { base_url: osieUrl, kernel: '', initrd: 'initramfs-x86_64', kernel_params: [], console: '' };
    const base = hardwareInterface(mac.replaceAll(':', '-'), `10.96.0.1${n}`, { osie: small });
    const ip = { address: `10.96.0.1${n}`, netmask: '255.255.255.0', gateway: lab.address, family: 4 };
    const dhcp = { ...base.dhcp, hostname: `node-${n}`, name_servers: [lab.address], ip };
    const id = `0eba0bf8-3772-4b4a-ab9f-6ebe93b90d0${n}`;
    return hardwareRecord({ id, network: { interfaces: [{ ...base, dhcp }] } });
  }

  /** UEFI 2.10 §32.4.1: an EFI_SIGNATURE_LIST of one X.509 certificate, nobody's. */
  async function enrolled({ ca, caSha256 }: Pki): Promise<string> {
    const der = new X509Certificate(ca).raw;
    const header = Buffer.alloc(28 + 16);
    Buffer.from('a159c0a5e494a74a87b5ab155c2bf072', 'hex').copy(header); // EFI_CERT_X509_GUID
    header.writeUInt32LE(header.length + der.length, 16);
    header.writeUInt32LE(16 + der.length, 24);
    const file = join(dir, `${caSha256}.esl`);
    await writeFile(file, Buffer.concat([header, der]));
    return file;
  }

  it('fetches its loader, and iPXE the kernel, from a boots whose authority it trusts', async () => {
    const [machine] = machines;
    await machine.waitFor(/URI: https:\/\/10\.96\.0\.1\/52:54:00:96:00:01\/ipxe\.efi/, patience);
    await machine.waitFor(/OSIE: t=\S+ no root\.sqfs/, patience);
    const files = boots.events.flatMap((event) => (event.type === 'BootFileServed' ? [event.data.file] : []));
    expect(files).toEqual(['ipxe.efi', 'vmlinuz-x86_64', 'initramfs-x86_64']);
  }, 900_000);

  it('does not believe another authority: nothing is loaded', async () => {
    const [, machine] = machines;
    await machine.waitFor(/URI: https:\/\/10\.96\.0\.1\/52:54:00:96:00:02\/ipxe\.efi/, patience);
    await machine.waitFor(/Could not retrieve NBP file size from HTTP server/, patience);
    const served = boots.events.flatMap((event) => (event.type === 'BootFileServed' ? [event.data.mac] : []));
    expect(served).not.toContain(macs[1].replaceAll(':', '-'));
    expect(machine.console()).not.toContain('iPXE');
  }, 900_000);
});
