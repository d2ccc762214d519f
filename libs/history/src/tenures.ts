import type { LeaseEvent, LeaseHolder, LeaseRenewed, Recorded } from '@tinkerbell/events';

/** How long one machine had one address, from the ACK that bound it. Times are ISO 8601. */
export interface Tenure extends LeaseHolder {
  readonly hostname: string;
  /** The relay's address; null without one. */
  readonly giaddr: string | null;
  /** Where it was plugged in by the relay's word (option 82), hex; null: it did not say. */
  readonly circuitId: string | null;
  readonly remoteId: string | null;
  readonly boundAt: string;
  /** As told to the client last; 4294967295: for good. */
  readonly leaseSeconds: number;
  /** The first moment at which the machine did not have the address any more; of one that lasts, when it would run out. */
  readonly until: string;
  /** `moved`: the machine was given another address, or the address went to another machine. `ended`: by an operator. */
  readonly state: 'bound' | 'expired' | 'released' | 'declined' | 'moved' | 'ended';
  /** Who gave the address free before its time, e.g. `user:admin`; null: nobody did. */
  readonly endedBy: string | null;
  readonly renewals: number;
  /** Of the commit that bound it. */
  readonly position: number;
}

/** The tenures of one address, oldest first, from everything that was recorded about it up to `now` (ISO 8601). */
export function tenuresOf(events: readonly Recorded<LeaseEvent>[], now: string): readonly Tenure[] {
  const past: Tenure[] = [];
  let current: Tenure | undefined;
  const end = (state: Tenure['state'], at: string, endedBy: string | null = null) => {
    if (current) {
      past.push(current.until <= at ? { ...current, state: 'expired' } : { ...current, state, until: at, endedBy });
    }
    current = undefined;
  };
  for (const { event, at, position, metadata } of events) {
    switch (event.type) {
      case 'LeaseBound': {
        const { expiresAt, ...data } = event.data;
        const before = current && current.until > at && isOfSame(current, data) ? current : undefined;
        if (!before) end('moved', at);
        current = {
          ...data,
          circuitId: null,
          remoteId: null,
          boundAt: before?.boundAt ?? at,
          until: expiresAt,
          state: 'bound',
          endedBy: null,
          renewals: before ? before.renewals + 1 : 0,
          position: before?.position ?? position,
        };
        break;
      }
      case 'LeaseRenewed':
        current = current && renewed(current, event.data);
        break;
      case 'LeaseRelayed': {
        const { giaddr, circuitId, remoteId } = event.data;
        current = current && { ...current, giaddr, circuitId, remoteId };
        break;
      }
      case 'LeaseReleased':
        end('released', at);
        break;
      case 'LeaseEnded':
        end('ended', at, metadata.actor);
        break;
      case 'LeaseDeclined':
        end('declined', at);
        break;
      case 'LeaseExpired':
        end(event.data.cause === 'moved' ? 'moved' : 'expired', at);
        break;
      default: // leaves the lease as it was
        break;
    }
  }
  if (!current) return past;
  return [...past, current.until <= now ? { ...current, state: 'expired' } : current];
}

/** By another name, or for longer. */
function isOfSame({ mac, hardwareId, origin }: Tenure, other: LeaseHolder): boolean {
  return mac === other.mac && hardwareId === other.hardwareId && origin === other.origin;
}

function renewed(tenure: Tenure, { leaseSeconds, expiresAt }: LeaseRenewed['data']): Tenure {
  return { ...tenure, leaseSeconds, until: expiresAt, renewals: tenure.renewals + 1 };
}

/** Who had an address at a moment, and who was the last to have it before. */
export interface Holder {
  readonly ip: string;
  /** ISO 8601. */
  readonly at: string;
  readonly holder: Tenure | null;
  readonly previous: Tenure | null;
}

/** `tenures`: of all machines that ever had the address, up to `at`. */
export function holderOf(ip: string, tenures: readonly Tenure[], at: string): Holder {
  const known = tenures.filter((tenure) => tenure.ip === ip && tenure.boundAt <= at);
  const [last, before] = known.toSorted((a, b) => b.position - a.position);
  const isHeld = last?.state === 'bound';
  return { ip, at, holder: (isHeld && last) || null, previous: (isHeld ? before : last) ?? null };
}
