import { expect, it } from 'vitest';
import { eventId, uuidV5 } from './event-id';

it('makes UUIDs of version 5 as RFC 9562 appendix A.4 does', () =>
  expect(uuidV5('www.example.com', '6ba7b810-9dad-11d1-80b4-00c04fd430c8')).toBe(
    '2ed6657d-e927-568b-95e1-2665a8aea6a2',
  ));

it('never changes: events in archives have these ids', () => {
  expect(eventId(1, 0)).toBe('31d5e9bd-b0ee-5954-a4be-effc9590824f');
  expect(eventId(4_294_967_296, 12)).toBe('75ab167e-2880-5935-8ed7-a19d09f01678');
});
