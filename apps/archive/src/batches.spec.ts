import { describe, expect, it } from 'vitest';
import { batches } from './batches';

const limits = { items: 3, bytes: 100, lingerMs: 60_000, idleMs: 60_000, sizeOf: (n: number) => n };

async function* from(...numbers: readonly number[]): AsyncGenerator<number> {
  for (const n of numbers) yield n;
}
async function all(numbers: readonly number[], over = {}) {
  const found: (readonly number[])[] = [];
  for await (const batch of batches(from(...numbers), { ...limits, ...over })) found.push(batch);
  return found;
}

describe('batches', () => {
  it('end at their number, at their size and with the source', async () => {
    expect(await all([1, 2, 3, 4])).toEqual([[1, 2, 3], [4]]);
    expect(await all([99, 2, 3])).toEqual([[99, 2], [3]]);
    expect(await all([500, 500])).toEqual([[500], [500]]);
    expect(await all([])).toEqual([]);
  });
  it('are handed out when nothing more comes, and empty when nothing comes at all', async () => {
    let go: (value: number) => void = () => undefined;
    async function* slow() {
      yield 1;
      yield await new Promise<number>((resolve) => (go = resolve));
    }
    const reading = batches(slow(), { ...limits, lingerMs: 1, idleMs: 1 });
    expect((await reading.next()).value).toEqual([1]);
    expect((await reading.next()).value).toEqual([]);
    go(2);
    let batch: readonly number[] = [];
    while (batch.length === 0) batch = (await reading.next()).value ?? [];
    expect(batch).toEqual([2]);
    expect((await reading.next()).done).toBe(true);
  });
  it('hold the source back', async () => {
    let asked = 0;
    async function* counted() {
      for (;;) yield ++asked;
    }
    const reading = batches(counted(), limits);
    await reading.next();
    await new Promise((resolve) => setImmediate(resolve));
    expect(asked).toBe(4);
    await reading.return(undefined);
  });
  it('pass on what the source throws', async () => {
    async function* broken(): AsyncGenerator<number> {
      yield 1;
      throw new Error('broken');
    }
    const reading = batches(broken(), limits);
    await expect(reading.next()).rejects.toThrow('broken');
  });
});
