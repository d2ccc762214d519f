import { describe, expect, it } from 'vitest';
import { read } from './dhcp/perfdhcp';

const said = `Scenario: basic.
***Rate statistics***
Rate: 94.7022 4-way exchanges/second, expected rate: 100

***Statistics for: DISCOVER-OFFER***
sent packets: 4
received packets: 3
drops: 1

min delay: 0.803 ms

***Statistics for: REQUEST-ACK***
sent packets: 3
received packets: 2
drops: 1

***Timestamps for packets: DISCOVER-OFFER***
sent / received: 000000.000100 / 000000.001100
sent / received: 000000.020000 / 000000.022000
sent / received: 000000.030000 / 000001.033000

***Timestamps for packets: REQUEST-ACK***
sent / received: 000000.001200 / 000000.002200
sent / received: 000000.022100 / 000000.030100

`;

describe('what perfdhcp says', () => {
  it('is read with the delay of each message', () => {
    const { rate, sent, completed, dropped, offer, ack, seconds } = read(said);
    expect({ rate, sent, completed, dropped, seconds }).toEqual({
      ...{ rate: 2 / 0.0301, sent: 4, completed: 2, dropped: 0.5, seconds: 0.0301 },
    });
    expect(offer.p50).toBeCloseTo(2);
    expect(offer.p99).toBeCloseTo(1003);
    expect(ack.mean).toBeCloseTo(4.5);
  });

  it('is told when it is something else', () => expect(() => read('no such device')).toThrow('no such device'));
});
