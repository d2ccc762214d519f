import { expect, it } from 'vitest';
import { placeOf } from './nats-ordered';

const place = { sequence: 7, delivery: 3, nanoseconds: '1767225600123999999' };

it.each([
  '$JS.ACK.TINK_EV.c.1.7.3.1767225600123999999.0',
  '$JS.ACK._.hash.TINK_EV.c.1.7.3.1767225600123999999.0',
  '$JS.ACK._.hash.TINK_EV.c.1.7.3.1767225600123999999.0.random',
])('placeOf reads %s', (reply) => expect(placeOf(reply)).toEqual(place));
