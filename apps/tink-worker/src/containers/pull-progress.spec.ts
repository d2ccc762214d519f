import { describe, expect, it } from 'vitest';
import { PullFailedError, PullProgress } from './pull-progress';

function told(...events: readonly (object | string)[]): string[] {
  const lines: string[] = [];
  const progress = new PullProgress((line) => lines.push(line));
  events.forEach((event) => progress.line(typeof event === 'string' ? event : JSON.stringify(event)));
  return lines;
}

describe('pull progress', () => {
  it('tells the stages and every tenth of the download', () => {
    const loading = (id: string, current: number) => ({
      status: 'Downloading',
      id,
      progressDetail: { current, total: 1_000_000 },
    });
    const lines = told(
      { status: 'Pulling from bb', id: '1' },
      ...Array.from({ length: 100 }, (_, n) => loading('a', n * 10_000)),
      { status: 'Extracting', id: 'a', progressDetail: { current: 1, total: 2 } },
      { status: 'Pull complete', id: 'a' },
      { status: 'Digest: sha256:00' },
      { status: 'Status: Downloaded newer image for bb:1' },
      '',
      'not json',
    );
    expect(lines[0]).toBe('1: Pulling from bb');
    expect(lines.filter((line) => line.startsWith('downloading'))).toHaveLength(9);
    expect(lines.slice(-4)).toEqual([
      'a: Pull complete',
      'Digest: sha256:00',
      'Status: Downloaded newer image for bb:1',
      'not json',
    ]);
  });

  it('throws the error that is only in the stream', () => {
    expect(() => told({ errorDetail: { message: 'manifest unknown' }, error: 'x' })).toThrow(PullFailedError);
    expect(() => told({ error: 'no space left' })).toThrow('no space left');
  });
});
