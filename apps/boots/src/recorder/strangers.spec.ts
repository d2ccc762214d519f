import { describe, expect, it } from 'vitest';
import { netbootOffered } from '@tinkerbell/testing';
import { bootDecider } from '@tinkerbell/domain';
import { Strangers } from './strangers';

const offered = bootDecider.evolve(bootDecider.initial, netbootOffered());

function strangers(has: (mac: string) => boolean = () => true) {
  const time = { now: 0 };
  const boots = { stateOf: async (mac: string) => (has(mac) ? offered : bootDecider.initial) };
  const told = new Strangers(boots, () => new Date(time.now));
  const count = async (times: number, macOf: (n: number) => string) => {
    let allowed = 0;
    for (let n = 0; n < times; n++) if (await told.isTold(macOf(n))) allowed++;
    return allowed;
  };
  return { time, told, count };
}

describe('a machine without a record', () => {
  it('is told of once something was offered to it', async () => {
    const { told } = strangers((mac) => mac === 'a');
    expect([await told.isTold('a'), await told.isTold('b')]).toEqual([true, false]);
  });

  it('that boots again and again is told of no more, then now and then, and costs the others nothing', async () => {
    const { time, told, count } = strangers();
    expect(await count(1000, () => 'a')).toBe(64);
    expect(await told.isTold('b')).toBe(true);
    time.now += 120_000;
    expect(await count(1000, () => 'a')).toBe(2);
  });

  it('is one of so many, whoever makes them up', async () => {
    const { count } = strangers();
    expect(await count(10_000, (n) => `mac-${n}`)).toBe(4000);
  });
});
