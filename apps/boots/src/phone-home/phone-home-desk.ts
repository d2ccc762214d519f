import { NotFoundError } from '@tinkerbell/domain';
import { type Callers, plainAddress } from '../callers';
import { type HttpRequest, peerOf } from '../http/http-message';
import { readText } from '../http/read-body';
import type { BootLog } from '../log/boot-log';
import type { Logger } from '../logger';
import type { Strangers } from '../recorder/strangers';
import { maxPhoneHomeBytes, parsePhoneHome } from './parse-phone-home';

/** A machine calls: its in-memory OS is up, or its installed system is. Stored before it is answered. */
export class PhoneHomeDesk {
  constructor(
    private readonly callers: Callers,
    private readonly boots: BootLog,
    private readonly strangers: Pick<Strangers, 'isTold'>,
    private readonly log: Logger,
  ) {}

  /** Throws InvalidError for a body that cannot be read, TooLargeError for one over the limit, NotFoundError for an address without a machine. */
  async take(request: HttpRequest): Promise<void> {
    const address = plainAddress(peerOf(request));
    const call = parsePhoneHome(await readText(request, maxPhoneHomeBytes), request.headers['content-type'] ?? '');
    const caller = this.callers.who(address);
    if (!caller) throw new NotFoundError('machine', address);
    const { hardwareId, mac } = caller;
    if (call.type === 'osie-started') {
      if (hardwareId === null && !(await this.strangers.isTold(mac))) return;
      await this.boots.record({ type: 'RecordOsieStarted', hardwareId, mac, uptimeSeconds: call.uptimeSeconds });
      this.log.info(`OSIE started on ${mac}, up for ${call.uptimeSeconds} s`);
      return;
    }
    if (hardwareId === null) throw new NotFoundError('machine', address);
    const { kind, body } = call;
    await this.boots.record({ type: 'RecordPhoneHome', hardwareId, mac, kind, body, address });
    this.log.info(`${mac} phoned home from ${address}: ${kind}`);
  }
}
