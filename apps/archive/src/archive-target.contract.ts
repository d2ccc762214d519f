import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { RevisionConflictError, TargetRefusedError, type ArchiveTarget, type TargetEvent } from './archive-target';

const event = (over: Partial<TargetEvent> = {}): TargetEvent => ({
  id: randomUUID(),
  type: 'Happened',
  data: { n: 1, text: 'ä' },
  metadata: { position: 7, $correlationId: 'c' },
  bytes: 100,
  ...over,
});

/** What the mirror relies on. Each run uses streams of its own. */
export function describeTarget(what: string, open: () => Promise<ArchiveTarget>): void {
  describe(what, () => {
    let target: ArchiveTarget;
    beforeAll(async () => {
      target = await open();
    });
    afterAll(() => target?.close());
    const stream = () => `contract-${randomUUID()}`;

    it('knows no stream that was never written', async () => expect(await target.last(stream())).toBeUndefined());

    it('gives back the last event as it was written', async () => {
      const name = stream();
      const [first, second] = [event(), event({ type: 'Other', data: { list: [1, { a: null }] } })];
      expect(await target.append(name, [first, second], 'no-stream')).toBe(1n);
      const { id, type, data, metadata } = second;
      expect(await target.last(name)).toEqual({ id, type, data, metadata, revision: 1n });
    });

    it('goes on at a revision, and nowhere else', async () => {
      const name = stream();
      const first = event();
      await target.append(name, [first], 'no-stream');
      expect(await target.append(name, [event(), event()], 0n)).toBe(2n);
      for (const expected of ['no-stream', 1n, 3n] as const) {
        await expect(target.append(name, [event()], expected)).rejects.toThrow(RevisionConflictError);
      }
      await expect(target.append(stream(), [event()], 0n)).rejects.toThrow(RevisionConflictError);
      expect(await target.last(name)).toMatchObject({ revision: 2n });
    });

    it('takes the same events at the same place as the success that they were', async () => {
      const name = stream();
      const events = [event(), event()];
      await target.append(name, events, 'no-stream');
      expect(await target.append(name, events, 'no-stream')).toBe(1n);
      const more = [event()];
      await target.append(name, more, 1n);
      expect(await target.append(name, more, 1n)).toBe(2n);
      expect(await target.last(name)).toMatchObject({ revision: 2n, id: more[0]?.id });
    });

    it('lets one of two writers win', async () => {
      const name = stream();
      const both = await Promise.allSettled([event(), event()].map((one) => target.append(name, [one], 'no-stream')));
      expect(both.map(({ status }) => status).toSorted()).toEqual(['fulfilled', 'rejected']);
      expect(both.find((one) => one.status === 'rejected')?.reason).toBeInstanceOf(RevisionConflictError);
    });

    it('takes a large append whole, in its order', async () => {
      const name = stream();
      const events = Array.from({ length: 400 }, (_, n) => event({ data: { n, filling: 'x'.repeat(1_000) } }));
      expect(await target.append(name, events, 'no-stream')).toBe(399n);
      expect(await target.last(name)).toMatchObject({ id: events[399]?.id, data: { n: 399 } });
    });

    it('refuses for good what is too large', async () => {
      const name = stream();
      const large = event({ data: { filling: 'x'.repeat(5 * 1_048_576) } });
      await expect(target.append(name, [large], 'no-stream')).rejects.toThrow(TargetRefusedError);
      expect(await target.last(name)).toBeUndefined();
    });

    it('keeps a limited stream going', async () => {
      const name = stream();
      await target.keepLast(name, 2);
      for (let n = 0; n < 4; n++) await target.append(name, [event({ data: { n } })], 'any');
      expect(await target.last(name)).toMatchObject({ revision: 3n, data: { n: 3 } });
    });
  });
}
