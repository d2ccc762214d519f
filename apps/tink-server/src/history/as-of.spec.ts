import { hardwareDeleted, hardwareId, hardwareRegistered, templateCreated, templateUpdated } from '@tinkerbell/testing';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Query } from '../http/query';
import { findTemplate } from '../template/template-commands';
import { openMemory, type Memory } from '../testing/memory';
import { AsOf } from './as-of';

const start = Date.UTC(2026, 0, 1);
/** Each commit a minute after the one before it, the first at 00:01. */
let clock = start;
let memory: Memory;
let asOf: AsOf;
beforeEach(async () => {
  clock = start;
  memory = await openMemory(() => new Date(clock));
  const minutely = async (...given: Parameters<Memory['given']>) => {
    clock += 60_000;
    await memory.given(...given);
  };
  await minutely('hardware', hardwareId, hardwareRegistered());
  await minutely('template', 't1', templateCreated('first', 'a'));
  await minutely('template', 't1', templateUpdated('second', 'b'));
  await minutely('hardware', hardwareId, hardwareDeleted());
  asOf = new AsOf(memory.store, memory.reads, () => clock + 30_000);
});
afterEach(() => memory.close());

const reads = (query: string) => asOf.reads(new Query(`/api/x?${query}`));
const refusal = (query: string) => expect(reads(query)).rejects;

describe('at', () => {
  it('is the present without it', async () => expect(await reads('')).toBe(memory.reads));

  it.each([
    ['0', []],
    ['1', []],
    ['2', ['first']],
    ['3', ['second']],
    ['4', ['second']],
    ['2026-01-01T00:01:59.999Z', []],
    ['2026-01-01T00:02:00.000Z', ['first']],
    ['2026-01-01T01:02:59+01:00', ['first']],
    ['2026-01-01T00:04:30Z', ['second']],
    ['1999-01-01', []],
  ])('%s has the templates %j', async (at, names) => {
    const then = await reads(`at=${encodeURIComponent(at)}`);
    expect(then.templates.list().map(({ name }) => name)).toEqual(names);
  });

  it('finds by what a row was called then', async () => {
    expect(findTemplate(await reads('at=2'), 'first').data).toBe('a');
    await expect(reads('at=3').then((then) => findTemplate(then, 'first'))).rejects.toThrow('template first not found');
  });

  it('says of what is not there whether it is no more or not yet', async () => {
    const hardware = async (at: number) => (await reads(`at=${at}`)).missing('hardware', hardwareId).message;
    expect(await hardware(0)).toBe(
      `hardware ${hardwareId} not found at position 0: its first event is at 1 (2026-01-01T00:01:00.000Z)`,
    );
    expect(await hardware(4)).toBe(
      `hardware ${hardwareId} not found at position 4: it was deleted at 4 (2026-01-01T00:04:00.000Z)`,
    );
    expect((await reads('at=4')).missing('workflow', 'w').message).toBe('workflow w not found at position 4');
  });

  it('refuses the future, and what is neither a position nor a time', async () => {
    await refusal('at=5').toThrow('at is position 5, but the log ends at 4');
    await refusal('at=2026-01-02').toThrow('at lies in the future: 2026-01-02');
    await refusal('at=yesterday').toThrow('at must be a position or an ISO 8601 time, got "yesterday"');
    await refusal('at=2026-99-99').toThrow('at must be an ISO 8601 time');
    await refusal('at=-1').toThrow('at must be a position');
    await refusal('at=1&at=2').toThrow('at is given 2 times');
    await refusal('at=5').toMatchObject({ code: 'INVALID', field: 'at' });
  });

  it('and minSeq may not contradict each other', async () => {
    await refusal('at=2&minSeq=3').toThrow('at is position 2, which lies before minSeq 3');
    expect((await reads('at=3&minSeq=3')).position()).toBe(3);
  });
});
