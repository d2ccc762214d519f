import { readFileSync } from 'node:fs';
import { join } from 'node:path';

export interface HardwareJson {
  readonly id: string;
  readonly [key: string]: unknown;
}

/** The originals' test record: 08:00:27:00:00:01, 192.168.1.5. */
export const seedHardware = fixture<HardwareJson>('hardware.json');

export function fixture<T>(name: string): T {
  return JSON.parse(readFileSync(join(__dirname, '../../fixtures', name), 'utf8')) as T;
}

/** Machine number n: its MAC, address and id end in n. */
export function machine(n: number): HardwareJson & { readonly mac: string; readonly ip: string } {
  const [mac, ip] = [`08:00:27:00:01:${n.toString(16).padStart(2, '0')}`, `192.168.2.${n}`];
  const dhcp = { mac, hostname: `server${n}`, ip: { address: ip, netmask: '255.255.255.0', gateway: '192.168.2.254' } };
  const document = {
    id: `0eba0bf8-3772-4b4a-ab9f-${String(n).padStart(12, '0')}`,
    metadata: { instance: { hostname: `server${n}` } },
    network: { interfaces: [{ dhcp, netboot: { allow_pxe: true, allow_workflow: true } }] },
  };
  // Not part of what is pushed.
  return Object.defineProperties(document, {
    mac: { value: mac, enumerable: false },
    ip: { value: ip, enumerable: false },
  }) as typeof document & { mac: string; ip: string };
}

export interface TaskOptions {
  readonly device?: string;
  readonly actions: readonly Readonly<Record<string, unknown>>[];
}

export function templateYaml(tasks: readonly TaskOptions[], globalTimeout = 0): string {
  const lines = ['version: "0.1"', 'name: test', `global_timeout: ${globalTimeout}`, 'tasks:'];
  tasks.forEach(({ device = 'device_1', actions }, t) => {
    lines.push(`  - name: "task-${t}"`, `    worker: "{{.${device}}}"`, '    actions:');
    actions.forEach((action, a) => {
      const fields = Object.entries({ name: `action-${a}`, image: 'hello-world', timeout: 60, ...action });
      fields.forEach(([key, value], i) => lines.push(`      ${i === 0 ? '-' : ' '} ${key}: ${JSON.stringify(value)}`));
    });
  });
  return `${lines.join('\n')}\n`;
}
