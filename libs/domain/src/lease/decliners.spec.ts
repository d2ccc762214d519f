import { expect, it } from 'vitest';
import { Decliners } from './decliners';

const [one, other] = ['02-00-00-00-00-01', '02-00-00-00-00-02'];
const minute = 60_000;

it('a client that declines four addresses within ten minutes gets none until the first is ten minutes ago', () => {
  const decliners = new Decliners();
  const noted = [0, 1, 2, 3].map((n) => decliners.note(one, n * minute));
  expect(noted).toEqual([false, false, false, true]);
  expect([decliners.isHeldOff(one, 10 * minute - 1), decliners.isHeldOff(other, 4 * minute)]).toEqual([true, false]);
  expect(decliners.isHeldOff(one, 10 * minute)).toBe(false);
  expect(decliners.note(one, 10 * minute)).toBe(true);
  expect(decliners.isHeldOff(one, 11 * minute)).toBe(false);
});

it('one that declines now and then is not held off, and never more than some thousand are remembered', () => {
  const decliners = new Decliners();
  for (let n = 0; n < 20; n++) expect(decliners.note(one, n * 4 * minute)).toBe(false);
  for (let n = 0; n < 4; n++) decliners.note(other, 0);
  for (let n = 0; n < 4095; n++) decliners.note(`made-up-${n}`, 0);
  expect(decliners.isHeldOff(other, 1)).toBe(true);
  decliners.note('made-up-4095', 0);
  expect(decliners.isHeldOff(other, 1)).toBe(false);
});
