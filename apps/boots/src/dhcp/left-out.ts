import { type DhcpPacket, macOf } from '@tinkerbell/dhcp';
import type { Logger } from '../logger';
import type { Metrics } from '../metrics';
import { RateLimit } from '../rate-limit';

const onceAMinute = { burst: 1, perSecond: 1 / 60 };

/** Tells of options that a client is not told, because its message has no room for them. */
export class LeftOut {
  readonly #told: RateLimit;

  constructor(private readonly ports: { readonly log: Logger; readonly metrics: Metrics; readonly clock: () => Date }) {
    this.#told = new RateLimit(() => ports.clock().getTime(), onceAMinute);
  }

  readonly tell = (code: number, length: number, packet: DhcpPacket): void => {
    const { log, metrics } = this.ports;
    metrics.count('dhcp_options_left_out_total', { code: String(code) });
    if (!this.#told.allows(String(code))) return;
    log.warn(
      `option ${code} (${length} bytes) is left out of what ${macOf(packet) ?? 'a client'} is told: its message has no room for it ` +
        '(the client says in option 57 how long that may be; 576 bytes without)',
    );
  };
}
