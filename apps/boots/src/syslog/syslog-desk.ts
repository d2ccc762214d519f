import { parseSyslog } from '@tinkerbell/syslog';
import type { Callers } from '../callers';
import type { Logger } from '../logger';
import type { Machines } from '../machines';
import type { Metrics } from '../metrics';
import type { MachineLog } from './machine-log';
import { RateLimit } from '../rate-limit';

export interface SyslogParts {
  readonly callers: Pick<Callers, 'whoSays'>;
  readonly machines: Pick<Machines, 'workflowOf'>;
  readonly metrics: Metrics;
  readonly log: Logger;
  readonly clock: () => Date;
}

/** Lines that a machine may send at once, and a second on average. A kernel that starts writes about a thousand. */
const lines = { burst: 4000, perSecond: 400 };
/** Of machines without a record, each and all together: in the days that TINK_LOG keeps, they do not push out what the others say. */
const strangers = { each: { burst: 2000, perSecond: 1 }, all: { burst: 50_000, perSecond: 5 }, longest: 512 };
/** Lines on their way to the store; what comes beyond that is dropped, and counted. */
const mostUnderWay = 1024;

/** Says of each datagram which machine sent it and what that was at work on, and stores it. */
export class SyslogDesk {
  private readonly rate: RateLimit;
  private readonly strangerRate: RateLimit;
  private readonly strangersRate: RateLimit;
  private underWay = 0;

  constructor(
    private readonly parts: SyslogParts,
    private readonly to: MachineLog,
  ) {
    const now = () => parts.clock().getTime();
    this.rate = new RateLimit(now, lines);
    this.strangerRate = new RateLimit(now, strangers.each);
    this.strangersRate = new RateLimit(now, strangers.all);
  }

  /** Resolves when the line is stored or dropped; never throws. */
  async take(bytes: Uint8Array, address: string): Promise<void> {
    const { callers, machines, clock, log } = this.parts;
    const caller = callers.whoSays(address);
    if (!caller) return this.drop('unknown-sender');
    const { mac, hardwareId } = caller;
    if (!(hardwareId === null ? this.allowsStranger(mac) : this.rate.allows(hardwareId))) return this.drop('rate');
    if (this.underWay >= mostUnderWay) return this.drop('store-too-slow');
    const { facility, severity, sentAt, host, app, pid, text } = parseSyslog(bytes);
    const at = clock().toISOString();
    this.underWay++;
    try {
      const line = {
        at,
        mac,
        address,
        facility,
        severity,
        sentAt,
        host,
        app,
        pid,
        line: hardwareId === null ? withoutToken(text).slice(0, strangers.longest) : withoutToken(text),
      };
      const workflowId = hardwareId === null ? undefined : machines.workflowOf({ hardwareId });
      await this.to.write(hardwareId ?? mac, workflowId, line);
      this.parts.metrics.count('syslog_lines_total', { severity });
    } catch (error) {
      this.drop('store');
      log.warn(`syslog line of ${mac} not stored: ${String(error)}`);
    } finally {
      this.underWay--;
    }
  }

  private allowsStranger(mac: string): boolean {
    return this.strangerRate.allows(mac) && this.strangersRate.allows('');
  }

  private drop(reason: string): void {
    this.parts.metrics.count('syslog_dropped_total', { reason });
  }
}

/** A kernel tells its command line, and that has the one-time token of the worker: 32 bytes in base64url. */
function withoutToken(text: string): string {
  return text.replace(/tink_token=[^\s"]*/g, 'tink_token=***').replace(/(?<![\w-])[\w-]{43}(?![\w-])/g, '***');
}
