import { expect, it } from 'vitest';
import { diskBytes } from './machine';

it('a disk of 4 GiB and more has its whole size', () => {
  expect(diskBytes(undefined)).toBe(1_073_741_824);
  expect(diskBytes(4096)).toBe(4_294_967_296);
});
