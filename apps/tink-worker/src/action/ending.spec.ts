import { describe, expect, it } from 'vitest';
import { resultOf } from './ending';

const exited = (exitCode: number, oomKilled = false, engineError = '') =>
  ({ kind: 'exited', exitCode, oomKilled, engineError }) as const;

describe('result of an action', () => {
  it('succeeds with exit code 0 whatever was written', () =>
    expect(resultOf(exited(0), 'own', 'err', 5)).toEqual({
      outcome: 'succeeded',
      reason: null,
      exitCode: 0,
      message: '',
    }));

  it.each([
    [exited(17), 'DiskNotFound: sda', 'noise', 'DiskNotFound: sda'],
    [exited(17), '', 'sda: no such device', 'sda: no such device'],
    [exited(17), '', '', 'ended with exit code 17'],
    [exited(127, false, 'exec failed'), '', '', 'exec failed'],
    [exited(137, true), '', 'unpacking', 'killed by the kernel, out of memory: unpacking'],
    [exited(137, true), '', '', 'killed by the kernel, out of memory'],
  ])('%j says why (%#)', (ending, own, lastError, message) =>
    expect(resultOf(ending, own, lastError, 5)).toEqual({
      outcome: 'failed',
      reason: 'exit',
      exitCode: ending.exitCode,
      message,
    }),
  );

  it('keeps 200 characters, not bytes', () => {
    const { message } = resultOf(exited(1), '€'.repeat(300), '', 5);
    expect([...message]).toHaveLength(200);
    expect(message.endsWith('€…')).toBe(true);
  });

  it('tells a time-out, a refusal and a broken run apart', () => {
    expect(resultOf({ kind: 'timed-out', exitCode: 137 }, '', 'x', 5)).toMatchObject({
      outcome: 'timed-out',
      message: 'no end after 5 seconds',
    });
    expect(resultOf({ kind: 'refused', why: 'the workflow is deleted', exitCode: 137 }, '', '', 5)).toMatchObject({
      outcome: 'failed',
      reason: 'refused',
      message: "stopped on the server's word: the workflow is deleted",
    });
    expect(resultOf({ kind: 'broken', reason: 'pull', message: 'no such image' }, 'o', 'e', 5)).toEqual({
      outcome: 'failed',
      reason: 'pull',
      exitCode: null,
      message: 'no such image',
    });
  });
});
