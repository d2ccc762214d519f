import { describe, expect, it } from 'vitest';
import { InTurn } from './in-turn';

describe('work in turn', () => {
  it('begins when the one before is over, also when that failed', async () => {
    const turn = new InTurn();
    const said: string[] = [];
    const work = (name: string, fault?: Error) => async () => {
      said.push(`${name} begins`);
      await Promise.resolve();
      said.push(`${name} ends`);
      if (fault) throw fault;
      return name;
    };
    const [bad, good] = [turn.do(work('bad', new Error('on purpose'))), turn.do(work('good'))];
    await expect(bad).rejects.toThrow('on purpose');
    expect(await good).toBe('good');
    expect(said).toEqual(['bad begins', 'bad ends', 'good begins', 'good ends']);
  });
});
