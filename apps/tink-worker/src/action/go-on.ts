import type { StateRequest } from '@tinkerbell/messaging';
import type { Pace } from '../pace';
import type { Server } from '../server';
import type { Wake } from '../wake';

/**
 * Asks the server again and again whether an attempt may go on, until `until` is aborted. The signal is aborted with the server's
 * reason when it may not. While the server does not answer, the attempt goes on.
 */
export function watchGoOn(
  server: Server,
  wake: Wake,
  pace: Pick<Pace, 'stateMs'>,
  attempt: StateRequest,
  until: AbortSignal,
): AbortSignal {
  const refused = new AbortController();
  void (async () => {
    while (!until.aborted) {
      const seen = wake.seen;
      const reply = await server.state(attempt).catch(() => undefined);
      if (reply && !reply.goOn && !until.aborted) return refused.abort(reply.reason || 'it gave no reason');
      await wake.sleep(seen, pace.stateMs, until);
    }
  })();
  return refused.signal;
}
