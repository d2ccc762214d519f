import { parseSyslog } from '@tinkerbell/syslog';
import type { Callers } from '../callers';
import type { Logger } from '../logger';
import type { Machines } from '../machines';
import type { Metrics } from '../metrics';
import type { MachineLog } from './machine-log';
import { RateLimit } from '../rate-limit';

export interface SyslogParts {
  readonly callers: Pick<Callers, 'at'>;
  readonly machines: Pick<Machines, 'workflowOf'>;
  readonly metrics: Metrics;
  readonly log: Logger;
  readonly clock: () => Date;
}

/** Lines that a machine may send at once, and a second on average. A kernel that starts writes about a thousand. */
const lines = { burst: 4000, perSecond: 400 };
/** Lines on their way to the store; what comes beyond that is dropped, and counted. */
const mostUnderWay = 1024;

/** Says of each datagram which machine sent it and what that was at work on, and stores it. */
export class SyslogDesk {
  private readonly rate: RateLimit;
  private underWay = 0;

  constructor(
    private readonly parts: SyslogParts,
    private readonly to: MachineLog,
  ) {
    this.rate = new RateLimit(() => parts.clock().getTime(), lines);
  }

  /** Resolves when the line is stored or dropped; never throws. */
  async take(bytes: Uint8Array, address: string): Promise<void> {
    const { callers, machines, clock, log } = this.parts;
    const machine = callers.at(address);
    if (!machine) return this.drop('unknown-sender');
    if (!this.rate.allows(machine.hardwareId)) return this.drop('rate');
    if (this.underWay >= mostUnderWay) return this.drop('store-too-slow');
    const { facility, severity, sentAt, host, app, pid, text } = parseSyslog(bytes);
    const at = clock().toISOString();
    this.underWay++;
    try {
      const line = {
        at,
        mac: machine.mac,
        address,
        facility,
        severity,
        sentAt,
        host,
        app,
        pid,
        line: withoutToken(text),
      };
      await this.to.write(machine.hardwareId, machines.workflowOf(machine), line);
      this.parts.metrics.count('syslog_lines_total', { severity });
    } catch (error) {
      this.drop('store');
      log.warn(`syslog line of ${machine.mac} not stored: ${String(error)}`);
    } finally {
      this.underWay--;
    }
  }

  private drop(reason: string): void {
    this.parts.metrics.count('syslog_dropped_total', { reason });
  }
}

/** A kernel tells its command line, and that has the one-time token of the worker: 32 bytes in base64url. */
function withoutToken(text: string): string {
  return text.replace(/tink_token=[^\s"]*/g, 'tink_token=***').replace(/(?<![\w-])[\w-]{43}(?![\w-])/g, '***');
}
