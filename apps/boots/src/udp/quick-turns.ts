import type { Readiness } from './native-batch';
import type { UdpSocket } from './udp-socket';

/** What of `NativeBatch` is used here. */
export interface Native {
  readiness(fds: readonly number[]): Pick<Readiness, 'wait' | 'has'>;
}

/** Others on the event loop wait for their turn no longer than this. */
const turnMs = 0.5;
/** A client on a local network has answered by then, or is not that fast. The first of it is spent looking, the rest asleep. */
const waitMs = { looking: 0.02, asleep: 0.03 };
/** Turns without a wait, after several for nothing. */
const mostTurnsWithout = 256;

/**
 * A turn of the event loop costs more than a packet, and whoever is sent single blocks answers each of them at once. So before the turn
 * ends: wait a moment for answers, and take them. Who is not asleep need not be woken, which takes as long as all the rest of a packet.
 */
export class QuickTurns {
  readonly #readiness: ReturnType<Native['readiness']>;
  /** In vain where the client needs the processor that we look with, which costs more than looking saves otherwise: seldom, then. */
  readonly #looking = new Patience(0.8);
  readonly #sleeping = new Patience(0);
  #next: NodeJS.Immediate | undefined;

  constructor(
    native: Native,
    private readonly sockets: readonly Pick<UdpSocket, 'fd' | 'takeWaiting'>[],
    /** Whether there is anybody to answer. */
    private readonly isExpecting: () => boolean,
    /** Milliseconds that only grow. */
    private readonly now: () => number = () => performance.now(),
  ) {
    this.#readiness = native.readiness(sockets.map(({ fd }) => fd));
  }

  run(): void {
    const until = this.now() + turnMs;
    while (this.isExpecting() && this.#hasAnswers()) {
      for (let i = 0; i < this.sockets.length; i++) {
        if (this.#readiness.has(i)) this.sockets[i]?.takeWaiting();
      }
      if (this.now() > until) return this.#runSoon();
    }
  }

  stop(): void {
    clearImmediate(this.#next);
  }

  /** After everybody else had a turn, without the event loop falling asleep for the next packet. */
  #runSoon(): void {
    clearImmediate(this.#next);
    this.#next = setImmediate(() => this.run());
  }

  #hasAnswers(): boolean {
    const [mayLook, maySleep] = [this.#looking.lasts(), this.#sleeping.lasts()];
    if (mayLook && this.#looking.note(this.#look())) return true;
    if (!maySleep) return this.#readiness.wait(0);
    return this.#sleeping.note(this.#readiness.wait(waitMs.asleep * 1000));
  }

  #look(): boolean {
    const until = this.now() + waitMs.looking;
    do {
      if (this.#readiness.wait(0)) return true;
    } while (this.now() < until);
    return false;
  }
}

/** Of one who waits: after a wait for nothing goes without for a turn, after each further one for twice as many. */
class Patience {
  #turnsWithout = 0;
  #penalty = 1;

  /** `grudge`: how much of the penalty a wait that was worth it leaves. */
  constructor(private readonly grudge: number) {}

  lasts(): boolean {
    if (this.#turnsWithout < 1) return true;
    this.#turnsWithout--;
    return false;
  }

  note(wasWorthIt: boolean): boolean {
    if (wasWorthIt) this.#penalty = Math.max(1, this.#penalty * this.grudge);
    else {
      this.#turnsWithout = this.#penalty;
      this.#penalty = Math.min(this.#penalty * 2, mostTurnsWithout);
    }
    return wasWorthIt;
  }
}
