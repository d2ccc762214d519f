import { describe, expect, it } from 'vitest';
import { Journal } from './journal';

describe('the journal', () => {
  const journal = new Journal<number>('abc', 3);
  const ids = [1, 2, 3, 4, 5].map((value) => journal.append(value).id);

  it('tells what came after an id', () => {
    expect(journal.since(ids[2] ?? '')?.map(({ value }) => value)).toEqual([4, 5]);
    expect(journal.since(ids[4] ?? '')).toEqual([]);
    expect(journal.lastId).toBe(ids[4]);
  });
  it('says so when it cannot tell any more', () => {
    expect(journal.since(ids[1] ?? '')?.map(({ value }) => value)).toEqual([3, 4, 5]);
    expect(journal.since(ids[0] ?? '')).toBeUndefined();
  });
  it.each(['', 'abc', 'abc.', 'abc.x', 'abc.6', 'other.5', 'abc.-1', 'abc.1e0'])('does not take %j for an id', (id) =>
    expect(journal.since(id)).toBeUndefined(),
  );
});
