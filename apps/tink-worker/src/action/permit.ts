import { randomBytes } from 'node:crypto';
import type { PermitRequest } from '@tinkerbell/messaging';
import type { Journal } from '../journal/journal';
import { errorText, insist, type Pace } from '../pace';
import { RefusedError, type Server } from '../server';

export type Permit =
  /** Good while `performance.now()` is below: counted from before it was asked for, so never longer than the server thinks. */
  { readonly kind: 'granted'; readonly untilMs: number } | { readonly kind: 'refused'; readonly why: string };

/** The one permission to run an attempt of a destructive action. Asked for with the same nonce however often this worker starts. */
export async function askPermit(
  server: Server,
  journal: Journal,
  request: Omit<PermitRequest, 'nonce'> & { readonly container: string },
  options: { readonly pace: Pace; readonly stop: AbortSignal; readonly say: (line: string) => void },
): Promise<Permit> {
  const { container, ...attempt } = request;
  const { pace, stop, say } = options;
  if (journal.nonce(container) === undefined) {
    journal.append({ t: 'nonce', container, nonce: randomBytes(16).toString('hex') });
  }
  const nonce = journal.nonce(container) ?? '';
  const ask = async (): Promise<Permit> => {
    const askedMs = performance.now();
    try {
      const { seconds } = await server.permit({ ...attempt, nonce });
      return { kind: 'granted', untilMs: askedMs + seconds * 1000 };
    } catch (error) {
      if (error instanceof RefusedError) return { kind: 'refused', why: error.message };
      throw error;
    }
  };
  return insist(pace, stop, ask, (error, tries) => {
    if (tries === 1) say(`the permit is not here yet: ${errorText(error)}`);
  });
}
