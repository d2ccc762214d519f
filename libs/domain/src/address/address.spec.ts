import { describe, expect, it } from 'vitest';
import { formatMac, parseMac } from './mac';

describe('MAC address', () => {
  it.each(['08:00:27:AB:cd:01', '08-00-27-ab-CD-01'])('%s', (text) => {
    expect(parseMac(text)).toBe('08-00-27-ab-cd-01');
    expect(formatMac('08-00-27-ab-cd-01')).toBe('08:00:27:ab:cd:01');
  });
  it.each([
    '',
    '08:00:27:ab:cd',
    '08:00:27:ab:cd:01:02',
    '0800.27ab.cd01',
    '080027abcd01',
    '08:00-27:ab:cd:01',
    ' 08:00:27:ab:cd:01',
    '08:00:27:ab:cd:0g',
    '08:00:27:ab:cd:01\n',
  ])('not %j', (text) => expect(parseMac(text)).toBeUndefined());
});
