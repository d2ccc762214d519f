import { type ClientClass, openTo } from './client-class';
import { type ModeRules, type Subnet, wireOf } from './dhcp-mode';
import type { PooledOn } from './pooled-interfaces';

/** `open`: the pools that are for clients without a class, by name. */
export interface PooledWire {
  readonly wire: readonly PooledOn[];
  readonly open: readonly string[];
}

/** Relays say what they like. */
const mostKept = 1024;

/** The subnets with pools on the wire of an address, worked out once as long as the rules are the same. */
export class PooledWires {
  readonly #known = new Map<string, PooledWire>();

  constructor(private readonly rules: ModeRules) {}

  at(link: string): PooledWire {
    const known = this.#known.get(link);
    if (known) return known;
    const wire = wireOf(link, this.rules).filter(isPooled);
    const found = { wire, open: namesOf(wire, []) };
    if (this.#known.size >= mostKept) this.#known.clear();
    this.#known.set(link, found);
    return found;
  }

  /** The rules are others. */
  clear(): void {
    this.#known.clear();
  }
}

export function isPooled(subnet: Subnet): subnet is PooledOn {
  return subnet.mode === 'pool' && subnet.pooled !== undefined;
}

export function namesOf(wire: readonly PooledOn[], classes: readonly ClientClass[]): readonly string[] {
  return wire.flatMap(({ pooled }) => openTo(pooled.pools, classes)).map(({ name }) => name);
}
