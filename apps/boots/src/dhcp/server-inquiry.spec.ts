import { describe, expect, it } from 'vitest';
import { ServerInquiry } from './server-inquiry';

function wires(...ours: boolean[]) {
  const said: string[] = [];
  const pool = { isActive: true, told: () => {} };
  const leases = {
    get isActive() {
      return pool.isActive;
    },
    onActive: (told: () => void) => {
      pool.told = told;
      if (pool.isActive) told();
    },
  };
  const all = ours.map((_, i) => ({
    probe: { start: () => void said.push(`ask ${i}`), stop: () => void said.push(`leave ${i}`) },
    isOurs: () => ours[i] === true,
  }));
  const inquiry = new ServerInquiry(all, leases, { forget: () => void said.push('forget') });
  return { ours, pool, inquiry, said: () => said.splice(0).filter((text) => !text.startsWith('leave')), left: said };
}

describe('other DHCP servers', () => {
  it('are asked for on the wires where leases are given out', () => {
    const { inquiry, said } = wires(true, false);
    inquiry.open();
    expect(said()).toEqual(['forget', 'ask 0']);
  });
  it('are asked for as soon as the rules say so, once', () => {
    const { ours, inquiry, said } = wires(false, true);
    inquiry.open();
    said();
    ours[0] = true;
    inquiry.look();
    expect(said()).toEqual(['forget', 'ask 0']);
    inquiry.look();
    expect(said()).toEqual([]);
  });
  it('are left alone by a standby, until it takes over', () => {
    const { pool, inquiry, said } = wires(true);
    pool.isActive = false;
    inquiry.open();
    inquiry.look();
    expect(said()).toEqual([]);
    pool.isActive = true;
    pool.told();
    expect(said()).toEqual(['forget', 'ask 0']);
    pool.told();
    expect(said()).toEqual(['forget', 'ask 0']);
  });
  it('are not asked for any more where another one gives out the leases', () => {
    const { ours, inquiry, left, said } = wires(true);
    inquiry.open();
    ours[0] = false;
    inquiry.look();
    expect(left).toContain('leave 0');
    ours[0] = true;
    inquiry.look();
    expect(said()).toEqual(['forget', 'ask 0', 'forget', 'ask 0']);
  });
});
