import { parseHardware } from '@tinkerbell/domain';
import type { HardwareEvent } from '@tinkerbell/events';
import type { Story } from '../sample-log';

/** The machines of a site, and the workers on them. */
export const machineCount = Number(process.env['BENCH_WORKERS'] ?? 500);

export interface SimulatedMachine {
  readonly id: string;
  readonly mac: string;
}

export function machineOf(n: number): SimulatedMachine {
  const hex = (part: number) => (part & 255).toString(16).padStart(2, '0');
  return {
    id: `0eba0bf8-3772-4b4a-ab9f-${String(n).padStart(12, '0')}`,
    mac: `52:54:00:00:${hex(n >> 8)}:${hex(n)}`,
  };
}

export function* machines(): Generator<Story> {
  for (let n = 0; n < machineCount; n++) {
    const { id, mac } = machineOf(n);
    const interfaces = [{ dhcp: { mac }, netboot: { allow_workflow: true } }];
    const hardware = parseHardware({ id, metadata: {}, network: { interfaces } });
    const registered: HardwareEvent = { type: 'HardwareRegistered', v: 4, data: { hardware } };
    yield { aggregate: 'hardware', id, events: [registered] };
  }
}
