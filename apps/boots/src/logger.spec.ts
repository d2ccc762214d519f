import { describe, expect, it } from 'vitest';
import { type LogLevel, streamLogger } from './logger';

describe('lines for the log', () => {
  it.each<[LogLevel, string]>([
    ['error', 'e'],
    ['warn', 'we'],
    ['info', 'iwe'],
    ['debug', 'diwe'],
  ])('of level %s: what is as urgent or more', (least, expected) => {
    const lines: string[] = [];
    const log = streamLogger({ write: (line: string) => lines.push(line) }, least);
    log.debug('d');
    log.info('i');
    log.warn('w');
    log.error('e');
    expect(lines.map((line) => line.at(-2)).join('')).toBe(expected);
    expect(log.isQuiet).toBe(!expected.includes('i'));
  });

  it('are one line each', () => {
    const lines: string[] = [];
    streamLogger({ write: (line: string) => lines.push(line) }).warn('one\r\ntwo');
    expect(lines).toEqual([expect.stringMatching(/^\S+Z warn boots: one two\n$/)]);
  });
});
