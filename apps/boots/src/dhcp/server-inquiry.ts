import type { LeasePool } from '../log/lease-pool';
import type { OtherServers } from './other-servers';
import type { ServerProbe } from './server-probe';

interface Wire {
  readonly probe: Pick<ServerProbe, 'start' | 'stop'>;
  /** Whether leases are given out there, by the rules as they are now. */
  readonly isOurs: () => boolean;
}

/** Asks each wire for other servers when this instance begins to give out leases there. */
export class ServerInquiry {
  readonly #asked = new Set<Wire>();

  constructor(
    private readonly wires: readonly Wire[],
    private readonly leases: Pick<LeasePool, 'isActive' | 'onActive'>,
    private readonly others: Pick<OtherServers, 'forget'>,
  ) {}

  open(): void {
    this.leases.onActive(() => {
      this.#asked.clear();
      this.look();
    });
  }

  /** After a change of the rules. */
  look(): void {
    if (!this.leases.isActive) return;
    for (const wire of this.wires) {
      if (!wire.isOurs()) this.#leave(wire);
      else if (!this.#asked.has(wire)) this.#ask(wire);
    }
  }

  close(): void {
    for (const wire of this.wires) this.#leave(wire);
  }

  #ask(wire: Wire): void {
    this.#asked.add(wire);
    this.others.forget();
    wire.probe.start();
  }

  #leave(wire: Wire): void {
    this.#asked.delete(wire);
    wire.probe.stop();
  }
}
