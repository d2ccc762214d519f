import { formatMac } from '@tinkerbell/domain';
import { subjects, type MachineLine, type NatsBus } from '@tinkerbell/messaging';

/** One line that a machine sent by syslog, as the API shows it. */
export interface MachineLogLine extends MachineLine {
  /** null: it had no hardware record. */
  readonly hardwareId: string | null;
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

  /** `id`: of its row; `mac`: what it sent before it had a hardware record is kept by that. */
  async *lines(
    { id, mac }: { readonly id?: string; readonly mac: string },
    { since, follow, signal }: MachineLinesOptions,
  ): AsyncGenerator<MachineLogLine> {
    const from = since === undefined ? {} : { since: new Date(since).toISOString() };
    const ids = new Set([id ?? mac, mac].filter((each) => each !== ''));
    const query = { subject: [...ids].map(subjects.logOfMachine), follow, signal, ...from };
    for await (const { seq: _, hardwareId, ...line } of this.bus.machineLines(query)) {
      yield { ...line, hardwareId: hardwareId === line.mac ? null : hardwareId, mac: formatMac(line.mac) };
    }
  }
}
