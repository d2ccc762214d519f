// Messages of clients, relays and firmware that we did not write, and the answers of this server to them (fixtures).
import { captures6, readCapture6 } from '@tinkerbell/testing';
import { describe, expect, it } from 'vitest';
import { decodeMessage, encodeMessage, MalformedOptionError, MalformedPacketError, unwrapRelays } from './index';

describe.each(captures6)('%s', (name) => {
  const messages = readCapture6(name);

  it('has messages', () => expect(messages.length).toBeGreaterThanOrEqual(2));

  it('is encoded as it came, byte for byte', () => {
    for (const bytes of messages) expect(encodeMessage(decodeMessage(bytes))).toEqual(bytes);
  });

  it('is decoded or refused as malformed at every length', () => {
    let refused = 0;
    for (const bytes of messages) {
      for (let length = 0; length < bytes.length; length++) {
        try {
          unwrapRelays(decodeMessage(bytes.subarray(0, length)));
        } catch (error) {
          if (!(error instanceof MalformedPacketError || error instanceof MalformedOptionError)) throw error;
          refused++;
        }
      }
    }
    expect(refused).toBeGreaterThan(messages.length);
  });
});

it('the captures have messages of most kinds', () => {
  const kinds = new Set(captures6.flatMap((name) => readCapture6(name).map((bytes) => decodeMessage(bytes).type)));
  expect([...kinds].sort()).toEqual([
    ...['advertise', 'confirm', 'information-request', 'relay-forward', 'relay-reply', 'release', 'reply'],
    ...['request', 'solicit'],
  ]);
});
