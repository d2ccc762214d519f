import type { ReadModel } from '@tinkerbell/event-store';
import type { HardwareRow } from '@tinkerbell/projections';
import type { SourceHealth } from './health';

/** What hegel needs from outside. Without `health` the source counts as well. */
export interface HegelPorts {
  readonly hardware: ReadModel<HardwareRow>;
  readonly health?: SourceHealth;
}

/** Injection token for the number of hardware records. */
export abstract class HardwareCount {
  abstract count(): number;
}
