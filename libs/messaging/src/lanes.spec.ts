import { describe, expect, it } from 'vitest';
import { Lanes } from './lanes';

/** Tasks that end when they are told to. */
function tasks() {
  const begun: string[] = [];
  const ends = new Map<string, () => void>();
  const task = (name: string) => async () => {
    begun.push(name);
    await new Promise<void>((resolve) => ends.set(name, resolve));
  };
  const end = async (name: string) => {
    await expect.poll(() => ends.has(name)).toBe(true);
    ends.get(name)?.();
  };
  return { begun, task, end };
}

describe('lanes', () => {
  it('keep the order within one, and go on side by side', async () => {
    const { begun, task, end } = tasks();
    const lanes = new Lanes(8);
    for (const name of ['a1', 'a2', 'b1']) await lanes.add(name.charAt(0), task(name));
    await expect.poll(() => begun).toEqual(['a1', 'b1']);
    await end('a1');
    await expect.poll(() => begun).toEqual(['a1', 'b1', 'a2']);
    await end('a2');
    await end('b1');
    await lanes.idle();
  });

  it('hold back whoever adds more than fits', async () => {
    const { begun, task, end } = tasks();
    const lanes = new Lanes(2);
    await lanes.add('a', task('a1'));
    await lanes.add('b', task('b1'));
    let accepted = false;
    const third = lanes.add('c', task('c1')).then(() => (accepted = true));
    await new Promise((resolve) => setImmediate(resolve));
    expect(accepted).toBe(false);
    await end('b1');
    await third;
    await expect.poll(() => begun).toContain('c1');
    await end('a1');
    await end('c1');
    await lanes.idle();
  });
});
