import { formatMac } from '@tinkerbell/domain';
import { subjects, type MachineLine, type NatsBus } from '@tinkerbell/messaging';

/** One line that a machine sent by syslog, as the API shows it. */
export interface MachineLogLine extends MachineLine {
  readonly hardwareId: string;
  /** What the machine was at work on; null: nothing. */
  readonly workflowId: string | null;
}

export interface MachineLinesOptions {
  /** Milliseconds since 1970. */
  readonly since?: number | undefined;
  readonly follow: boolean;
  readonly signal: AbortSignal;
}

/** What machines themselves log, stored and as it comes. */
export class MachineLogs {
  constructor(private readonly bus: Pick<NatsBus, 'machineLines'>) {}

  async *lines(hardwareId: string, { since, follow, signal }: MachineLinesOptions): AsyncGenerator<MachineLogLine> {
    const from = since === undefined ? {} : { since: new Date(since).toISOString() };
    const query = { subject: subjects.logOfMachine(hardwareId), follow, signal, ...from };
    for await (const { seq: _, ...line } of this.bus.machineLines(query)) {
      yield { ...line, mac: formatMac(line.mac) };
    }
  }
}
