import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import type { TemplateVersion } from '@tinkerbell/template';
import type { Provisioner } from './provisioner';
import { templateYaml } from './templates';

/** One machine and what is to be done to it. */
export interface Scenario {
  readonly hardwareId: string;
  readonly mac: string;
  readonly ip: string;
  readonly hostname: string;
  /** File below /images/ of the provisioner. */
  readonly imageFile: string;
  readonly uefi: boolean;
  /** Network boot program to chain even from an iPXE ROM. */
  readonly binary?: string;
  readonly template: TemplateVersion;
  /** What the worker sees as the disk to write. */
  readonly disk: string;
  readonly isMachine: boolean;
}

export const firstMachine = {
  hardwareId: '0eba0bf8-3772-4b4a-ab9f-6ebe93b90a94',
  mac: '52:54:00:99:00:01',
  ip: '10.99.0.11',
  hostname: 'node-1',
  disk: '/dev/vda',
  isMachine: true,
} as const;

type Described = Pick<Scenario, 'hardwareId' | 'mac' | 'ip' | 'hostname' | 'uefi' | 'binary'>;

export function hardwareJson(scenario: Described, serverAddress: string, arch = 'x86_64') {
  const { hardwareId, mac, ip, hostname, uefi, binary } = scenario;
  return {
    id: hardwareId,
    metadata: {
      facility: { facility_code: 'demo' },
      instance: {
        id: hardwareId,
        hostname,
        operating_system: { distro: 'tinkerbell', slug: 'tinkerbell', version: '1' },
      },
    },
    network: {
      interfaces: [
        {
          dhcp: {
            mac,
            hostname,
            lease_time: 3600,
            arch,
            uefi,
            name_servers: [serverAddress],
            time_servers: [serverAddress],
            ip: ip.includes(':') ? { address: ip } : { address: ip, netmask: '255.255.255.0', gateway: serverAddress },
          },
          netboot: { allow_pxe: true, allow_workflow: true, ...(binary ? { ipxe: { binary } } : {}) },
        },
      ],
    },
  };
}

async function sha256Of(file: string): Promise<string> {
  const hash = createHash('sha256');
  for await (const chunk of createReadStream(file)) hash.update(chunk as Buffer);
  return hash.digest('hex');
}

/** Pushes hardware, template and workflow with the CLI, as a user would. Returns the workflow's id. */
export async function order(
  provisioner: Provisioner,
  scenario: Scenario,
  dir: string,
  serverAddress: string,
  note: (text: string) => void,
): Promise<string> {
  const hardware = join(dir, `${scenario.hostname}.json`);
  const template = join(dir, `${scenario.hostname}.yaml`);
  await writeFile(hardware, JSON.stringify(hardwareJson(scenario, serverAddress), null, 2));
  await writeFile(
    template,
    templateYaml(scenario.template, {
      imageUrl: `${provisioner.ready.http}/images/${basename(scenario.imageFile)}`,
      sha256: await sha256Of(scenario.imageFile),
      serverAddress,
      disk: scenario.disk,
      isMachine: scenario.isMachine,
    }),
  );
  const tink = async (...args: readonly string[]) => {
    note(`$ tink ${args.map((arg) => (/[{" ]/.test(arg) ? `'${arg}'` : arg)).join(' ')}`);
    return provisioner.tink(...args);
  };
  await tink('hardware', 'push', '--file', hardware);
  const created = await tink('template', 'create', '--name', `${scenario.hostname}-install`, '--path', template);
  const templateId = lastWord(created);
  return lastWord(
    await tink(
      'workflow',
      'create',
      '--template',
      templateId,
      '--hardware',
      JSON.stringify({ device_1: scenario.mac }),
    ),
  );
}

function lastWord(text: string): string {
  const word = text.trim().split(/\s+/).at(-1);
  if (!word) throw new Error(`the CLI did not print an id but ${JSON.stringify(text)}`);
  return word;
}
