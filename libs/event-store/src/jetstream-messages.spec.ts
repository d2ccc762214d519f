import type { JsMsg } from 'nats';
import { expect, it } from 'vitest';
import { storedAt } from './jetstream-messages';

// As a number these nanoseconds are rounded into the next millisecond.
it.each([
  ['$JS.ACK.TINK_EV.c.1.1.1.1767225600123999999.0', '2026-01-01T00:00:00.123Z'],
  ['$JS.ACK._.hash.TINK_EV.c.1.1.1.1767225600123999999.0.random', '2026-01-01T00:00:00.123Z'],
  ['$JS.ACK.TINK_EV.c.1.1.1.1767225600000000000.0', '2026-01-01T00:00:00.000Z'],
])('storedAt reads the time of %s', (reply, at) => {
  const message: Partial<JsMsg> & { readonly reply: string } = { reply };
  expect(storedAt(message as JsMsg)).toBe(at);
});
