import { expect, it } from 'vitest';
import { timeOf } from './jetstream-messages';

// As a number the first of these is rounded into the next millisecond.
it.each([
  ['1767225600123999999', '2026-01-01T00:00:00.123Z'],
  ['1767225600000000000', '2026-01-01T00:00:00.000Z'],
  ['1767225600000999999', '2026-01-01T00:00:00.000Z'],
])('timeOf reads %s nanoseconds', (nanoseconds, at) => expect(timeOf(nanoseconds)).toBe(at));
