import { RequestQueue } from './request-queue';
import type { Rank } from './request-rank';

/** Shorter than any client waits before it asks again: RFC 2131 §4.1 says four seconds, impatient firmware two. */
const patienceMs = 1000;
const calmMs = 500;
const size = 4096;
/** Two commits full: one on its way to the disk, one that gathers. */
const answersAtOnce = 1000;
/** Answers what was taken from the sockets, as much of it as is possible in time. */
export class RequestPump<T> {
  readonly #queue = new RequestQueue<T>({ size, patienceMs, calmMs });
  #answering = 0;
  #isDue = false;
  #isClosed = false;

  constructor(
    /** Calls `done` once, whenever that is. */
    private readonly answer: (request: T, done: () => void) => void,
    private readonly onShed: (count: number) => void,
    /** Then the sockets have their turn, so that what waits in them is not old before it is seen. */
    private readonly turnMs: number,
  ) {}

  put(rank: Rank, request: T): void {
    this.#queue.put(rank, request, performance.now());
    this.#wake();
  }

  close(): void {
    this.#isClosed = true;
    this.#queue.clear();
  }

  #wake(): void {
    if (this.#isDue || this.#isClosed || this.#answering >= answersAtOnce || this.#queue.size === 0) return;
    this.#isDue = true;
    setImmediate(() => {
      this.#isDue = false;
      this.#turn();
    });
  }

  #turn(): void {
    const until = performance.now() + this.turnMs;
    for (let now = 0; this.#answering < answersAtOnce && now < until; now = performance.now()) {
      const request = this.#queue.next(performance.now());
      if (request === undefined) break;
      this.#answering++;
      this.answer(request, this.#done);
    }
    const shed = this.#queue.takeShed();
    if (shed > 0) this.onShed(shed);
    this.#wake();
  }

  readonly #done = (): void => {
    this.#answering--;
    this.#wake();
  };
}
