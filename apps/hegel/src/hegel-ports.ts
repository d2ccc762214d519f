import type { ReadModel } from '@tinkerbell/event-store';
import type { HardwareRow, LeaseRow } from '@tinkerbell/projections';
import type { SourceHealth } from './health';

/** What hegel needs from outside. Without `leases` a machine is known by the addresses of its record alone; without `health` the source counts as well. */
export interface HegelPorts {
  readonly hardware: ReadModel<HardwareRow>;
  readonly leases?: Pick<ReadModel<LeaseRow>, 'get'>;
  readonly health?: SourceHealth;
}

/** Injection token for the number of hardware records. */
export abstract class HardwareCount {
  abstract count(): number;
}
