import { type AddressPools, type Instant, leaseOfIp, type Seeker, type SingleLeaseCommand } from '@tinkerbell/domain';
import { isWithin } from './dhcp-mode';
import type { PoolDeskPorts } from './pool-desk';
import type { PooledOn } from './pooled-interfaces';
import type { Answer } from './probe';

/** What the pools are, and how what is found out about their addresses is stored. */
export interface OfferedFrom {
  readonly pools: () => AddressPools;
  readonly now: () => Instant;
  /** Throws nothing: it may as well be stored later. */
  readonly submit: (commands: readonly SingleLeaseCommand[]) => Promise<void>;
  /** After something was found out about an address, stored or not. */
  readonly note: (ip: string) => void;
}

const none: ReadonlySet<string> = new Set();
/** A client is offered another address so often when somebody answers on the one before. */
const maxProbes = 4;
/** Addresses in quarantine that are looked at at a time: those who only ask must not bring all of them back. */
const maxReclaiming = 16;

/** An address for a client, that nobody has as far as the wire can tell. */
export class PoolOffers {
  #reclaiming = 0;

  constructor(
    private readonly ports: Pick<PoolDeskPorts, 'leases' | 'metrics' | 'log' | 'probe'>,
    private readonly from: OfferedFrom,
  ) {}

  /** '': there is none. A promise only where somebody is asked whether he has it. */
  of(seeker: Seeker, wire: readonly PooledOn[]): string | Promise<string> {
    const ip = this.from.pools().offer(seeker, this.ports.leases.state, this.from.now(), none);
    return ip === undefined ? this.#reclaim(seeker, wire) : this.#certain(ip, seeker, wire);
  }

  #certain(ip: string, seeker: Seeker, wire: readonly PooledOn[]): string | Promise<string> {
    const subnet = subnetOf(ip, wire);
    return subnet && this.#isUncertain(ip, subnet) ? this.#probed(ip, subnet, seeker, wire) : ip;
  }

  /** Whether somebody could have it who has no lease. */
  #isUncertain(ip: string, { pooled }: PooledOn): boolean {
    return pooled.probe && leaseOfIp(this.ports.leases.state, ip, this.from.now().iso) === undefined;
  }

  async #probed(first: string, its: PooledOn, seeker: Seeker, wire: readonly PooledOn[]): Promise<string> {
    const found = new Set<string>();
    let [ip, subnet]: [string, PooledOn | undefined] = [first, its];
    for (let probes = 1; ; probes++) {
      const answer = subnet && this.#isUncertain(ip, subnet) ? await this.ports.probe.ask(ip) : undefined;
      if (!subnet || !answer || answer.mac === seeker.mac) return ip;
      found.add(ip);
      await this.#conflict(ip, subnet, answer);
      const { leases } = this.ports;
      const next =
        probes < maxProbes ? this.from.pools().offer(seeker, leases.state, this.from.now(), found) : undefined;
      if (next === undefined) return '';
      ip = next;
      subnet = subnetOf(next, wire);
    }
  }

  async #conflict(ip: string, { name, pooled }: PooledOn, { method, mac }: Answer): Promise<void> {
    const { iso, ms } = this.from.now();
    const quarantinedUntil = new Date(ms + pooled.quarantineSeconds * 1000).toISOString();
    this.ports.metrics.count('dhcp_conflicts_total', { method });
    this.ports.log.warn(
      `${ip} is in use${mac === null ? '' : ` by ${mac}`} and not leased: offered to nobody until ${quarantinedUntil}`,
    );
    await this.from.submit([
      { type: 'FindConflict', ip, subnet: name, method, answeredBy: mac, quarantinedUntil, now: iso },
    ]);
  }

  /** Nothing is left: what a client declined comes back, if nobody answers on it now. What somebody was seen on does not. */
  #reclaim(seeker: Seeker, wire: readonly PooledOn[]): string | Promise<string> {
    if (this.#reclaiming >= maxReclaiming) return '';
    const ip = this.#longestDeclined(seeker);
    return ip === undefined ? '' : this.#reclaimed(ip, seeker, wire);
  }

  #longestDeclined(seeker: Seeker): string | undefined {
    return this.from.pools().takeDeclined(seeker, this.ports.leases.state);
  }

  async #reclaimed(first: string, seeker: Seeker, wire: readonly PooledOn[]): Promise<string> {
    this.#reclaiming++;
    try {
      let ip: string | undefined = first;
      for (let probes = 1; ip !== undefined; probes++) {
        if (await this.#endsQuarantine(ip, seeker, wire)) {
          const offered = this.from.pools().offer(seeker, this.ports.leases.state, this.from.now(), none);
          return offered === undefined || offered === ip ? (offered ?? '') : await this.#certain(offered, seeker, wire);
        }
        ip = probes < maxProbes ? this.#longestDeclined(seeker) : undefined;
      }
      return '';
    } finally {
      this.#reclaiming--;
    }
  }

  async #endsQuarantine(ip: string, seeker: Seeker, wire: readonly PooledOn[]): Promise<boolean> {
    const { probe, log } = this.ports;
    const subnet = subnetOf(ip, wire);
    try {
      if (!subnet) return false;
      const probed = subnet.pooled.probe && probe.asks;
      const answer = probed ? await probe.ask(ip) : undefined;
      if (answer && answer.mac !== seeker.mac) {
        await this.#conflict(ip, subnet, answer);
        return false;
      }
      log.warn(`${ip} was declined, and is offered again before its time: no other address is left in ${subnet.name}`);
      await this.from.submit([{ type: 'EndQuarantine', ip, probed, now: this.from.now().iso }]);
      return true;
    } finally {
      this.from.note(ip);
    }
  }
}

function subnetOf(ip: string, wire: readonly PooledOn[]): PooledOn | undefined {
  return wire.find((one) => isWithin(ip, one.address, one.prefix));
}
