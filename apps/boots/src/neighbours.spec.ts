import { describe, expect, it } from 'vitest';
import { macIn } from './neighbours';

const table = `IP address       HW type     Flags       HW address            Mask     Device
10.0.0.5         0x1         0x2         52:54:00:AB:00:05     *        br0
10.0.0.6         0x1         0x0         00:00:00:00:00:00     *        br0
10.0.0.55        0x1         0x6         52:54:00:ab:00:55     *        br0
`;

describe('the neighbour at an address', () => {
  it.each([
    ['10.0.0.5', '52-54-00-ab-00-05'],
    ['10.0.0.55', '52-54-00-ab-00-55'],
    ['10.0.0.6', undefined],
    ['10.0.0.7', undefined],
    ['IP', undefined],
  ])('%s is %s', (address, mac) => expect(macIn(table, address)).toBe(mac));
});
