import { blockBytes } from '@tinkerbell/tftp';
import { chunkBytes } from '../files/shared-files';
import type { Piece } from '../udp/piece';
import type { DatagramSocket } from '../udp/udp-socket';
import type { Session } from './session';

/** Blocks of one transfer before another has its turn. */
const blocksAtOnce = 16;
/** Blocks sent at one go before others on the event loop have their turn. */
const blocksPerRun = 256;
const opcodeData = 3 << 16;

/** A port that transfers run through, turn by turn: a large window or a slow disk holds up nobody else's. */
export class TransferPort {
  #waiting: Session[] = [];
  #isScheduled = false;

  constructor(
    readonly socket: DatagramSocket,
    private readonly onUnreadable: (session: Session, error: Error) => void,
  ) {}

  queue(session: Session, from: number, to: number): void {
    session.next = from;
    session.end = to;
    if (session.isWaiting) return;
    session.isWaiting = true;
    this.#waiting.push(session);
  }

  /** Sends what waits, as far as the socket takes it. */
  run(): void {
    let left = blocksPerRun;
    while (this.#waiting.length > 0 && left > 0) {
      const round = this.#waiting;
      this.#waiting = [];
      for (let i = 0; i < round.length; i++) {
        const session = round[i];
        if (!session) break;
        const before = session.next;
        const state = this.#send(session);
        left -= session.next - before;
        if (state === 'more') this.#waiting.push(session);
        else if (state === 'done') session.isWaiting = false;
        else if (state === 'full') {
          // The socket tells when there is room.
          this.#waiting = [...round.slice(i), ...this.#waiting];
          return;
        }
      }
    }
    if (this.socket.flush() && this.#waiting.length > 0) this.#runSoon();
  }

  #runSoon(): void {
    if (this.#isScheduled) return;
    this.#isScheduled = true;
    setImmediate(() => {
      this.#isScheduled = false;
      this.run();
    });
  }

  #send(session: Session): 'done' | 'more' | 'reading' | 'full' {
    if (session.isOver) return 'done';
    const until = Math.min(session.end, session.next + blocksAtOnce - 1);
    for (; session.next <= until; session.next++) {
      const pieces = this.#pieces(session);
      if (!pieces) return 'reading';
      const head = opcodeData | (session.next & 0xffff);
      if (!this.socket.put(session.peer.ip, session.peer.port, head, pieces)) return 'full';
    }
    return session.next <= session.end ? 'more' : 'done';
  }

  /** What the next block consists of; undefined: it is being read, and the session queued again after that. */
  #pieces(session: Session): readonly Piece[] | undefined {
    const { from, to } = blockBytes(session.transfer, session.next);
    const pieces: Piece[] = [];
    for (let at = from; at < to;) {
      const index = Math.floor(at / chunkBytes);
      const start = index * chunkBytes;
      const chunk = session.content.peek(index);
      if (!chunk) {
        this.#read(session, index);
        return undefined;
      }
      const end = Math.min(to, start + chunkBytes);
      pieces.push({ chunk, from: at - start, to: end - start });
      at = end;
    }
    // Once a chunk: at its first block.
    if (from % chunkBytes < to - from) session.content.readAhead(Math.floor(from / chunkBytes) + 1);
    return pieces;
  }

  #read(session: Session, index: number): void {
    session.content.read(index).then(
      () => {
        this.#waiting.push(session);
        this.run();
      },
      (error: Error) => {
        session.isWaiting = false;
        if (!session.isOver) this.onUnreadable(session, error);
      },
    );
  }
}
