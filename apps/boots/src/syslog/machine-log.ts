import type { MachineLine } from '@tinkerbell/messaging';

/** Where the lines go that machines send by syslog. */
export abstract class MachineLog {
  /** Resolves when the line is stored. */
  abstract write(hardwareId: string, workflowId: string | undefined, line: MachineLine): Promise<void>;
}
