import { option, requestedAddress } from '@tinkerbell/dhcp';
import { beforeEach, describe, expect, it } from 'vitest';
import { firmware, requestOf } from './dhcp/requests.testing';
import { Overheard } from './overheard';

const [mac, other] = ['01-02-03-04-05-06', '02-00-00-00-00-09'];
let now: number;
let overheard: Overheard;
beforeEach(() => {
  now = 0;
  overheard = new Overheard(() => new Date(now));
});

const asked = (address: string, chaddr?: Uint8Array) => {
  const request = requestOf('request', [...firmware(7), option(requestedAddress, address)]);
  overheard.request({ ...request, ...(chaddr && { chaddr }) });
};

describe('an address that another server gives out', () => {
  it('is that of the client that asked for it last, for an hour', () => {
    asked('10.0.0.9');
    expect(overheard.macOf('10.0.0.9')).toBe(mac);
    asked('10.0.0.9', Uint8Array.of(2, 0, 0, 0, 0, 9));
    expect(overheard.macOf('10.0.0.9')).toBe(other);
    now += 3_600_000;
    expect(overheard.macOf('10.0.0.9')).toBeUndefined();
  });

  it('is that of the client that renews it', () => {
    overheard.request({ ...requestOf('request', firmware(7)), ciaddr: '10.0.0.8' });
    expect(overheard.macOf('10.0.0.8')).toBe(mac);
  });

  it('is nobody’s when a REQUEST names none', () => {
    overheard.request(requestOf('request', firmware(7)));
    expect(overheard.macOf('0.0.0.0')).toBeUndefined();
  });

  it('is for five minutes that of a machine which goes on without a lease', () => {
    overheard.unleased('10.0.0.6');
    expect([overheard.isUnleased('10.0.0.6'), overheard.isUnleased('10.0.0.7')]).toEqual([true, false]);
    now += 300_000;
    expect(overheard.isUnleased('10.0.0.6')).toBe(false);
  });

  it('is that of the machine whose script went there, where no client has said more', () => {
    overheard.script('10.0.0.7', other);
    expect(overheard.macOf('10.0.0.7')).toBe(other);
    asked('10.0.0.7');
    overheard.script('10.0.0.7', other);
    expect(overheard.macOf('10.0.0.7')).toBe(mac);
  });
});
