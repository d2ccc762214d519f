import { createHash } from 'node:crypto';
import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { formatMac, NotFoundError } from '@tinkerbell/domain';
import { type IsoPrograms, isoScript, machineIso } from '@tinkerbell/ipxe';
import type { BootPrograms, StoredFile } from '../boot-programs';
import type { SharedFiles } from '../files/shared-files';
import type { HttpRequest, HttpResponse } from '../http/http-message';
import { sendFile } from '../http/send-file';
import { staticNetworkOf } from '../ipxe/static-network';
import type { Machine, Machines } from '../machines';
import { looseMac } from '../requested-name';

export interface IsoServices {
  readonly machines: Machines;
  readonly programs: BootPrograms;
  readonly files: SharedFiles;
}

export interface IsoSettings {
  readonly bootsUrl: string;
  /** Whether machines at this address get one by DHCP, ours or another's in its place. */
  readonly hasDhcp: (address: string) => boolean;
}

/** ISOs made and kept at once, some megabytes each. */
const mostKept = 32;
const efiNames = { 'BOOTX64.EFI': 'ipxe.efi', 'BOOTAA64.EFI': 'ipxe-arm64.efi' };

/** The boot medium of one machine, for the virtual drive of its BMC: iPXE that knows the machine's network card and, without DHCP, its address. */
export class IsoDesk {
  readonly #kept = new Map<string, StoredFile>();
  readonly #getting = new Map<string, Promise<StoredFile>>();
  #folder: Promise<string> | undefined;

  constructor(
    private readonly services: IsoServices,
    /** `address`: of the machine, '' without one in its record. */
    private readonly settings: (address: string) => IsoSettings,
  ) {}

  /** Nothing in it is a secret: the script itself is given to the machine alone. Throws NotFoundError. */
  async send(request: HttpRequest, response: HttpResponse, mac: string): Promise<void> {
    const machine = this.services.machines.byMac(looseMac(mac) ?? '');
    if (!machine) throw new NotFoundError('machine', mac);
    const script = this.#script(machine);
    await sendFile(request, response, await this.#iso(script), this.services.files);
  }

  #script({ mac, interface: record }: Machine): string {
    const network = staticNetworkOf(record);
    const { bootsUrl, hasDhcp } = this.settings(network?.address ?? '');
    const shown = formatMac(mac);
    return isoScript({
      ...{ mac: shown, vlanId: record.dhcp.vlan_id, scriptUrl: `${bootsUrl}/${shown}/auto.ipxe?network=static` },
      ...(network && !hasDhcp(network.address) ? { network } : {}),
      isIpv6: network?.address.includes(':') ?? false,
    });
  }

  async #iso(script: string): Promise<StoredFile> {
    const programs = await this.#programs();
    const key = digestOf(
      [script, ...programs.map(({ path, size, modifiedMs }) => `${path} ${size} ${modifiedMs}`)].join('\n'),
    );
    const getting = this.#getting.get(key) ?? this.#get(key, script, programs);
    this.#getting.set(key, getting);
    return getting.finally(() => this.#getting.delete(key));
  }

  async #get(key: string, script: string, programs: readonly NamedFile[]): Promise<StoredFile> {
    const kept = this.#kept.get(key);
    return kept && (await isThere(kept.path)) ? kept : this.#make(key, script, programs);
  }

  async #make(key: string, script: string, programs: readonly NamedFile[]): Promise<StoredFile> {
    const bytes = machineIso(await read(programs), script);
    const path = join(await this.#place(), `${key}.iso`);
    await writeFile(path, bytes);
    const file = await storedFile(path, digestOf(bytes));
    this.#kept.set(key, file);
    const [oldest] = this.#kept.keys();
    if (this.#kept.size > mostKept && oldest !== undefined) {
      const { path: gone } = this.#kept.get(oldest) ?? file;
      this.#kept.delete(oldest);
      await rm(gone, { force: true });
    }
    return file;
  }

  /** The folder; another one when what was made is gone: temporary folders are cleaned, by hand and by systemd-tmpfiles. */
  async #place(): Promise<string> {
    const folder = this.#folder;
    const isGone = folder && !(await folder.then(isThere, () => false));
    if (isGone && this.#folder === folder) this.#folder = undefined;
    return (this.#folder ??= mkdtemp(join(tmpdir(), 'boots-iso-')));
  }

  async #programs(): Promise<readonly NamedFile[]> {
    const wanted = { '': 'ipxe.iso', ...efiNames };
    const found: NamedFile[] = [];
    for (const [name, program] of Object.entries(wanted)) {
      const file = await this.services.programs.find(program);
      if (file) found.push({ ...file, name });
    }
    if (found.length === 0) throw new NotFoundError('file', 'ipxe.iso or ipxe.efi among the boot programs');
    return found;
  }

  async close(): Promise<void> {
    const folder = await this.#folder?.catch(() => undefined);
    if (folder !== undefined) await rm(folder, { recursive: true, force: true });
  }
}

/** `name`: in `/EFI/BOOT`; '' for the ISO that the BIOS part comes from. */
type NamedFile = StoredFile & { readonly name: string };

async function read(programs: readonly NamedFile[]): Promise<IsoPrograms> {
  const efi: Record<string, Uint8Array> = {};
  let biosIso: Uint8Array | undefined;
  for (const { name, path } of programs) {
    if (name === '') biosIso = await readFile(path);
    else efi[name] = await readFile(path);
  }
  return { efi, ...(biosIso ? { biosIso } : {}) };
}

function isThere(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  );
}

async function storedFile(path: string, tag: string): Promise<StoredFile> {
  const { size, mtimeMs } = await stat(path);
  return { path, size, modifiedMs: mtimeMs, tag };
}

function digestOf(bytes: Uint8Array | string): string {
  return createHash('sha256').update(bytes).digest('hex').slice(0, 32);
}
