import { describe, expect, it } from 'vitest';
import type { EventStore } from './event-store';
import { newStream, take, write } from './event-store.contract';

/** Where a time lies in the log of every EventStore. */
export function positionContract(store: () => EventStore): void {
  describe('the position of a time', () => {
    it('is the last commit that was stored by then', async () => {
      const stored: { readonly position: number; readonly at: number }[] = [];
      for (let i = 0; i < 9; i++) {
        const { head } = await write(store(), newStream(), `${i}`);
        const { events } = await take(store(), 1, { after: head.position - 1 }).then(
          ([commit]) => commit ?? { events: [] },
        );
        stored.push({ position: head.position, at: Date.parse(events[0]?.at ?? '') });
        // Times of the log have milliseconds: go on when the next one has begun.
        const began = Date.now();
        while (Date.now() <= began + 1) await new Promise((resolve) => setImmediate(resolve));
      }
      for (const { at } of stored) {
        for (const time of [at - 1, at, at + 1]) {
          const wanted = stored.findLast((commit) => commit.at <= time)?.position ?? 0;
          expect({ time, position: await store().positionAt(time) }).toEqual({ time, position: wanted });
        }
      }
      expect(await store().positionAt(0)).toBe(0);
      expect(await store().positionAt(Date.now() + 1e9)).toBe(9);
    });

    it('is 0 in an empty log', async () => expect(await store().positionAt(Date.now())).toBe(0));
  });
}
