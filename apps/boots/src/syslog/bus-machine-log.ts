import { subjects, type MachineLine, type NatsBus } from '@tinkerbell/messaging';
import { MachineLog } from './machine-log';

/** `TINK_LOG`. */
export class BusMachineLog extends MachineLog {
  constructor(private readonly bus: Pick<NatsBus, 'publishMachineLine'>) {
    super();
  }

  async write(id: string, workflowId: string | undefined, line: MachineLine): Promise<void> {
    await this.bus.publishMachineLine(subjects.machineLog(id, workflowId), line);
  }
}
