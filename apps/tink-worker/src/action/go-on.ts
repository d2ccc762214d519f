import type { StateReply, StateRequest } from '@tinkerbell/messaging';
import type { Pace } from '../pace';
import type { Server } from '../server';
import type { Wake } from '../wake';

/** The server's word that an attempt must not go on; the reason of the signal that stops it. */
export class Halt extends Error {
  override readonly name = 'Halt';
  constructor(
    /** The workflow is being cancelled; otherwise the server has no more use for the attempt. */
    readonly cancelled: boolean,
    why: string,
  ) {
    super(why);
  }
}

/**
 * Asks the server again and again whether an attempt may go on, until `until` is aborted. The signal is aborted with a Halt when it may
 * not. While the server does not answer, the attempt goes on. `heeds`: which answers count, by default all of them.
 */
export function watchGoOn(
  server: Server,
  wake: Wake,
  pace: Pick<Pace, 'stateMs'>,
  attempt: StateRequest,
  until: AbortSignal,
  heeds: (reply: StateReply) => boolean = () => true,
): AbortSignal {
  const refused = new AbortController();
  void (async () => {
    while (!until.aborted) {
      const seen = wake.seen;
      const reply = await server.state(attempt).catch(() => undefined);
      if (reply && !reply.goOn && heeds(reply) && !until.aborted) {
        return refused.abort(new Halt(reply.cancelled === true, reply.reason || 'it gave no reason'));
      }
      await wake.sleep(seen, pace.stateMs, until);
    }
  })();
  return refused.signal;
}
