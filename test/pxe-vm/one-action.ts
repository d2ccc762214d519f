import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Provisioner } from '../demo/src/provisioner';
import { hardwareJson, type Scenario } from '../demo/src/scenario';

const template = `version: "1.0"
name: one action
tasks:
  - name: greet
    worker: "{{ .device_1 }}"
    actions:
      - name: hello-world
        image: hello-world
        timeout: 10m
`;

type Described = Pick<Scenario, 'hardwareId' | 'hostname' | 'mac' | 'ip' | 'uefi' | 'binary'>;

/** Registers a machine and orders the shortest workflow there is for it. Returns the workflow's id. */
export async function orderOneAction(
  provisioner: Pick<Provisioner, 'tink'>,
  machine: Described,
  { dir, server, arch = 'x86_64' }: { readonly dir: string; readonly server: string; readonly arch?: string },
): Promise<string> {
  const { hostname, mac } = machine;
  const [hardware, plan] = [join(dir, `${hostname}.json`), join(dir, `${hostname}.yaml`)];
  await writeFile(hardware, JSON.stringify(hardwareJson(machine, server, arch)));
  await writeFile(plan, template);
  const ordered = async (...args: string[]) => (await provisioner.tink(...args)).trim().split(/\s+/).at(-1) ?? '';
  await provisioner.tink('hardware', 'push', '--file', hardware);
  const templateId = await ordered('template', 'create', '--name', hostname, '--path', plan);
  return ordered('workflow', 'create', '--template', templateId, '--hardware', JSON.stringify({ device_1: mac }));
}
