import { type DhcpPacket, type MessageType, readOption, requestedAddress } from '@tinkerbell/dhcp';
import {
  AddressPools,
  Decliners,
  formerOf,
  type Instant,
  lastLease,
  leaseOfIp,
  type LeaseState,
  mostDeclined,
  type Seeker,
  seekerKey,
  type SingleLeaseCommand,
  textOf,
} from '@tinkerbell/domain';
import type { HardwareInterface } from '@tinkerbell/events';
import type { Logger } from '../logger';
import { InTurn } from '../in-turn';
import type { LeasePool } from '../log/lease-pool';
import type { Machine, Machines } from '../machines';
import type { Metrics } from '../metrics';
import { type ClientClass, classesOf } from './client-class';
import { clientIdOf } from './client-id';
import { isWithin, type ModeRules, type PooledSubnet, type Subnet } from './dhcp-mode';
import { PooledInterfaces, type PooledOn } from './pooled-interfaces';
import { PoolOffers } from './pool-offers';
import { isPooled, namesOf, PooledWires } from './pooled-wires';
import type { Probe } from './probe';

export interface PoolDeskPorts {
  readonly machines: Machines;
  readonly leases: LeasePool;
  readonly metrics: Metrics;
  readonly log: Logger;
  readonly clock: () => Date;
  readonly probe: Probe;
  /** Of boots itself: given to nobody. */
  readonly own: readonly string[];
}

/** What one request can be answered with from the pools of its wire. */
export interface Pooled {
  readonly subnet: Subnet & { readonly pooled: PooledSubnet };
  /** The one offered, leased or just asked for; '' = none. */
  readonly address: string;
  /** The settings of the subnet and its classes, with what a hardware record adds. */
  readonly interface: HardwareInterface;
  readonly clientId: string | null;
  /** Why an address that it asks for is not its own, where it has no other. */
  readonly refusal: string | undefined;
  /** Whether the address that it asks for cannot be right, whoever leases it. */
  readonly isForeign: boolean;
  /** Whether it may be told what to boot. */
  readonly boots: boolean;
  /** It declined so many addresses that it is given none. */
  readonly isHeldOff: boolean;
}

/** Who asks. `link`: an address of its network. */
interface Asking {
  readonly mac: string;
  readonly type: MessageType;
  readonly link: string;
  readonly machine: Machine | undefined;
  /** It was sent to this server alone: the client takes it for the one that it has its address from. */
  readonly isUnicast: boolean;
}

interface Seeking {
  readonly about: Asking;
  readonly seeker: Seeker;
  readonly wire: readonly PooledOn[];
  readonly classes: readonly ClientClass[];
}

/** How often leases are looked through for those that ran out. */
const sweepMs = 1000;
const maxExpired = 500;
const warnMs = 60_000;
const poolGauges = ['dhcp_pool_size', 'dhcp_pool_used', 'dhcp_pool_quarantined'] as const;

/** Addresses for clients without a reservation: the pools of all subnets, and their upkeep. Also without pools: tells of leases that ran out. */
export class PoolDesk {
  #pools: AddressPools;
  readonly #warned = new Map<string, number>();
  #subnets: readonly PooledOn[];
  #timer: NodeJS.Timeout | undefined;
  #sweeping: Promise<void> = Promise.resolve();
  #counted = '';
  #instant: Instant = { iso: '', ms: NaN };
  readonly #interfaces = new PooledInterfaces();
  readonly #decliners = new Decliners();
  readonly #offers: PoolOffers;
  readonly #wires: PooledWires;
  #term = -1;
  /** The leases that the addresses were put in order by. */
  #sorted: WeakRef<LeaseState['book']> | undefined;
  readonly #sorting = new InTurn();
  /** Stored while other pools are put in order beside these. */
  #noted: Set<string> | undefined;

  constructor(
    private readonly ports: PoolDeskPorts,
    private readonly rules: ModeRules,
  ) {
    this.#wires = new PooledWires(rules);
    this.#offers = new PoolOffers(ports, {
      pools: () => this.#pools,
      now: () => this.#now(),
      submit: (commands) => this.#submit(commands),
      note: (ip) => this.#note(ip),
    });
    this.#subnets = rules.subnets.filter(isPooled);
    this.#pools = this.#poolsOf(this.#subnets);
  }

  /** Resolves when the addresses are in order; from then on they are before each time that this instance begins to answer. */
  async open(): Promise<void> {
    this.ports.leases.beforeActive(() => this.#sort());
    await this.#sort();
    this.#timer = setInterval(() => this.#sweep(), sweepMs);
    this.#timer.unref();
  }

  async close(): Promise<void> {
    clearInterval(this.#timer);
    await this.#sweeping;
  }

  /**
   * Other rules from now on. Their addresses are put in order beside those of the old ones, which go on until then; `apply` makes the
   * rules others in the same turn.
   */
  change({ subnets }: ModeRules, apply: () => void): Promise<void> {
    return this.#sorting.do(async () => {
      const next = subnets.filter(isPooled);
      const pools = this.#poolsOf(next);
      const { leases } = this.ports;
      const noted = (this.#noted = new Set<string>());
      for (const _ of pools.rebuild(leases.state)) await new Promise((resolve) => setImmediate(resolve));
      this.#noted = undefined;
      for (const ip of noted) pools.note(ip, leases.state);
      pools.takeHolds(this.#pools);
      this.#forget(next);
      this.#subnets = next;
      this.#pools = pools;
      this.#sorted = new WeakRef(leases.state.book);
      this.#term = -1;
      apply();
      this.#wires.clear();
    });
  }

  /**
   * undefined: the request is from no subnet with pools. `link`: an address of the client's network. A promise only where somebody is asked
   * whether he has an address.
   */
  look(request: DhcpPacket, about: Asking): Pooled | undefined | Promise<Pooled | undefined> {
    const { mac, type, link } = about;
    const { wire, open } = this.#wires.at(link);
    if (wire.length === 0) return undefined;
    this.#refresh();
    const classes = classesOf(request, mac, this.rules.classes ?? []);
    const pools = classes.length === 0 ? open : namesOf(wire, classes);
    const clientId = wire[0]?.pooled.identity === 'mac' ? null : clientIdOf(request);
    const wanted = wantedBy(request);
    const seeker = { mac, clientId, pools, wanted };
    const seeking = { about, seeker, wire, classes };
    if (this.#isHeldOff(seeking)) return this.#with('', seeking, true);
    const address = type === 'discover' ? this.#offers.of(seeker, wire) : this.#own(seeker, wire, request, about);
    return typeof address === 'string'
      ? this.#with(address, seeking)
      : address.then((offered) => this.#with(offered, seeking));
  }

  #with(address: string, { about, seeker, wire, classes }: Seeking, isHeldOff = false): Pooled | undefined {
    const { mac, type, link, machine } = about;
    const { wanted, clientId } = seeker;
    const subnet = wire.find((one) => isWithin(address || link, one.address, one.prefix)) ?? wire[0];
    if (!subnet) return undefined;
    if (type === 'discover' && address === '' && !isHeldOff) this.#tellExhausted(mac, subnet.name);
    const isForeign = wanted !== undefined && this.#isForeign(wanted, wire);
    return {
      subnet,
      address,
      clientId,
      isForeign,
      interface: this.#interfaces.of(subnet, classes, machine),
      refusal: address === '' ? `${wanted ?? 'it'} is not free for this machine` : undefined,
      boots: machine !== undefined || (subnet.discovery ?? this.rules.discovery) === true,
      isHeldOff,
    };
  }

  /** Who has an address goes on with that. */
  #isHeldOff({ about: { mac, type }, seeker, wire }: Seeking): boolean {
    const { ms, iso } = this.#now();
    if ((type !== 'discover' && type !== 'request') || !this.#decliners.isHeldOff(mac, ms)) return false;
    const { state } = this.ports.leases;
    return !wire.some(({ name }) => {
      const last = lastLease(state, seekerKey(seeker, name));
      return last !== undefined && leaseOfIp(state, last.ip, iso) !== undefined;
    });
  }

  /** After commands about addresses were stored. */
  stored(commands: readonly SingleLeaseCommand[]): void {
    for (const command of commands) {
      if ('ip' in command && command.ip !== null) this.#note(command.ip);
      if (command.type === 'DeclineLease' && command.quarantinedUntil !== null) this.#declined(command);
    }
  }

  #declined({ mac }: { readonly mac: string | null }): void {
    if (mac === null || !this.#decliners.note(mac, this.#now().ms)) return;
    const { count, withinMs } = mostDeclined;
    this.ports.log.warn(
      `${mac} declined ${count} addresses within ${withinMs / 60_000} minutes: until those are over it is given none of a pool`,
    );
  }

  #note(ip: string): void {
    this.#pools.note(ip, this.ports.leases.state);
    this.#noted?.add(ip);
  }

  #poolsOf(subnets: readonly PooledOn[]): AddressPools {
    return new AddressPools(
      subnets.flatMap(({ pooled }) => pooled.pools),
      (ip) => this.#isOurs(ip) || this.ports.machines.byReservedAddress(ip) !== undefined,
    );
  }

  /** This instance's, or another's. */
  #isOurs(ip: string): boolean {
    return this.ports.own.includes(ip) || this.ports.leases.own.has(ip);
  }

  /** Figures of pools that are no more. */
  #forget(next: readonly PooledOn[]): void {
    const namesOf = (subnets: readonly PooledOn[]) =>
      subnets.flatMap(({ pooled }) => pooled.pools.map(({ name }) => name));
    const kept = new Set(namesOf(next));
    for (const pool of namesOf(this.#subnets).filter((name) => !kept.has(name))) {
      for (const name of poolGauges) this.ports.metrics.drop(name, { pool });
    }
  }

  /** What it may go on with or take now; '' = nothing. */
  #own(
    seeker: Seeker,
    wire: readonly PooledOn[],
    request: DhcpPacket,
    { type, isUnicast }: { readonly type: MessageType; readonly isUnicast: boolean },
  ): string {
    const { state } = this.ports.leases;
    const now = this.#now();
    const { wanted } = seeker;
    const had = wire.map(({ name }) => lastLease(state, seekerKey(seeker, name)));
    const last = [...had, formerOf(seeker, state)].flatMap((lease) => lease ?? []);
    if (type !== 'request') {
      // A release or decline is about what it holds; an inform about no lease.
      return last.find(({ ip, state: standing }) => standing === 'bound' && ip === wanted)?.ip ?? '';
    }
    const isSelecting = request.options.has(54);
    const isKnown = last.some(({ ip }) => ip === wanted);
    const held = last.find(({ ip }) => leaseOfIp(state, ip, now.iso) !== undefined);
    // From the server that was at our address before: it goes on using what it has, and nobody else does.
    const isInherited = isUnicast && request.ciaddr === wanted && !held;
    const isItsOwn = isSelecting || isKnown || isInherited;
    if (wanted !== undefined && isItsOwn && this.#pools.mayHave(seeker, wanted, state, now)) return wanted;
    return held && this.#pools.mayHave(seeker, held.ip, state, now) ? held.ip : '';
  }

  /**
   * Of another wire, somebody else's, or the client's own that it may not go on with: where it may not have it, it has to be told so
   * (RFC 2131 §4.3.2).
   */
  #isForeign(ip: string, wire: readonly PooledOn[]): boolean {
    if (!wire.some((one) => isWithin(ip, one.address, one.prefix))) return true;
    return leaseOfIp(this.ports.leases.state, ip, this.#now().iso) !== undefined;
  }

  #sweep(): void {
    if (!this.ports.leases.isActive) return;
    this.#refresh();
    this.#sweeping = this.#sweeping
      .then(() => this.#keepBooks())
      .catch((error: unknown) => {
        this.ports.log.debug(`leases that ran out are told of later: ${String(error)}`);
      });
  }

  async #keepBooks(): Promise<void> {
    const { leases, metrics } = this.ports;
    const now = this.#now();
    const ips = this.#pools.due(leases.state, now, maxExpired);
    if (ips.length > 0) {
      try {
        await leases.submit([{ type: 'ExpireLeases', ips, now: now.iso }]);
      } finally {
        // What was not stored is due again.
        for (const ip of ips) this.#note(ip);
      }
    }
    const usage = this.#pools.usage(leases.state, now);
    const counted = JSON.stringify(usage);
    if (counted === this.#counted) return;
    for (const { pool, subnet, size, used, quarantined } of usage) {
      metrics.set('dhcp_pool_size', { pool }, size);
      metrics.set('dhcp_pool_used', { pool }, used);
      metrics.set('dhcp_pool_quarantined', { pool }, quarantined);
      await leases.submit([{ type: 'CountPool', subnet, pool, size, used: used + quarantined }]);
    }
    this.#counted = counted;
  }

  /** Everything anew when another instance, or an earlier run, wrote the leases until now. */
  #sort(): Promise<void> {
    return this.#sorting.do(async () => {
      const { state } = this.ports.leases;
      if (this.#sorted?.deref() === state.book) return;
      for (const _ of this.#pools.rebuild(state)) await new Promise((resolve) => setImmediate(resolve));
      this.#sorted = new WeakRef(state.book);
    });
  }

  /** Once a term. */
  #refresh(): void {
    const { leases } = this.ports;
    if (leases.takeovers === this.#term) return;
    this.#term = leases.takeovers;
    this.#counted = '';
    void this.#define();
  }

  async #define(): Promise<void> {
    const pools = this.#subnets.flatMap(({ pooled }) => pooled.pools.map(({ name }) => name));
    await this.#submit([{ type: 'KeepPools', pools }]);
    for (const { name: subnet, pooled } of this.#subnets) {
      for (const { name, ranges } of pooled.pools) {
        const size = ranges.reduce((sum, [first, last]) => sum + last - first + 1, 0);
        const texts = ranges.map(([first, last]) => `${textOf(first)}-${textOf(last)}`);
        await this.#submit([{ type: 'DefinePool', subnet, pool: name, ranges: texts, size }]);
      }
    }
  }

  /** For what may as well be stored later. */
  async #submit(commands: readonly SingleLeaseCommand[]): Promise<void> {
    try {
      await this.ports.leases.submit(commands);
      this.stored(commands);
    } catch (error) {
      this.ports.log.warn(`not stored: ${commands.map(({ type }) => type).join(', ')}: ${String(error)}`);
    }
  }

  #tellExhausted(mac: string, subnet: string): void {
    const { ms } = this.#now();
    this.ports.metrics.count('dhcp_pool_exhausted_total', { subnet });
    if (ms - (this.#warned.get(subnet) ?? 0) < warnMs) return;
    this.#warned.set(subnet, ms);
    this.ports.log.error(
      `no address is left in ${subnet} for ${mac} and others like it: none of its pools has a free one`,
    );
  }

  /** Many requests are of one millisecond, and writing it costs more than much else. */
  #now(): Instant {
    const date = this.ports.clock();
    const ms = date.getTime();
    if (ms !== this.#instant.ms) this.#instant = { iso: date.toISOString(), ms };
    return this.#instant;
  }
}

/** Option 50, or where it is already. */
function wantedBy({ options, ciaddr }: DhcpPacket): string | undefined {
  if (options.has(requestedAddress.code)) return readOption(options, requestedAddress);
  return ciaddr === '0.0.0.0' ? undefined : ciaddr;
}
