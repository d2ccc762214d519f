import { afterEach, describe, expect, it, vi } from 'vitest';
import { LineLogger, ServerLogger, setLogLevel } from './log';

const written: string[] = [];
const listen = () =>
  vi.spyOn(process.stderr, 'write').mockImplementation((text) => {
    written.push(String(text));
    return true;
  });
afterEach(() => {
  vi.restoreAllMocks();
  setLogLevel('info');
  written.length = 0;
});

const time = String.raw`\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z`;

describe('the log of tink-server', () => {
  it('has one line for each thing: time, level, who, text', () => {
    listen();
    new ServerLogger('ingress').log('two\nlines');
    new ServerLogger('ingress').warn('late');
    new LineLogger('NestFactory').error('broken');
    expect(written).toEqual([
      expect.stringMatching(new RegExp(`^${time} info ingress: two lines\n$`)),
      expect.stringMatching(new RegExp(`^${time} warn ingress: late\n$`)),
      expect.stringMatching(new RegExp(`^${time} error NestFactory: broken\n$`)),
    ]);
  });

  it('leaves out what is less than its level', () => {
    listen();
    setLogLevel('warn');
    new ServerLogger('ingress').log('quiet');
    expect(written).toEqual([]);
  });
});
