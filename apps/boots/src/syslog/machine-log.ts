import type { MachineLine } from '@tinkerbell/messaging';

/** Where the lines go that machines send by syslog. */
export abstract class MachineLog {
  /** `id`: of the machine's hardware record, without one its MAC. Resolves when the line is stored. */
  abstract write(id: string, workflowId: string | undefined, line: MachineLine): Promise<void>;
}
