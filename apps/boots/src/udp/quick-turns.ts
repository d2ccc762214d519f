import type { Readiness } from './native-batch';
import type { UdpSocket } from './udp-socket';

/** What of `NativeBatch` is used here. */
export interface Native {
  readiness(fds: readonly number[]): Pick<Readiness, 'wait' | 'has'>;
}

/** Others on the event loop wait for their turn no longer than this. */
const turnMs = 0.5;
/** A client on a local network has answered by then, or is not that fast. */
const waitMicroseconds = 50;
/** Turns without a wait after one that was for nothing; twice as many after each further one. */
const mostTurnsWithout = 256;

/**
 * A turn of the event loop costs more than a packet, and whoever is sent single blocks answers each of them at once. So before the turn
 * ends: wait a moment for answers, and take them.
 */
export class QuickTurns {
  readonly #readiness: ReturnType<Native['readiness']>;
  #turnsWithout = 0;
  #penalty = 1;

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
      if (this.now() > until) return;
    }
  }

  #hasAnswers(): boolean {
    const mayWait = this.#turnsWithout === 0;
    const has = this.#readiness.wait(mayWait ? waitMicroseconds : 0);
    if (!mayWait) this.#turnsWithout--;
    else if (has) this.#penalty = 1;
    else {
      this.#turnsWithout = this.#penalty;
      this.#penalty = Math.min(this.#penalty * 2, mostTurnsWithout);
    }
    return has;
  }
}
