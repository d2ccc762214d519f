import { describe, expect, it } from 'vitest';
import { parseSyslog } from './parse-syslog';

const parse = (text: string) => parseSyslog(new TextEncoder().encode(text));

describe('RFC 5424', () => {
  it.each<[string, string, object]>([
    [
      '§6.5 example 1',
      "<34>1 2003-10-11T22:14:15.003Z mymachine.example.com su - ID47 - \ufeff'su root' failed for lonvick on /dev/pts/8",
      {
        ...{ facility: 'auth', severity: 'crit', sentAt: '2003-10-11T22:14:15.003Z', host: 'mymachine.example.com' },
        ...{ app: 'su', pid: '', text: "'su root' failed for lonvick on /dev/pts/8" },
      },
    ],
    [
      '§6.5 example 2',
      '<165>1 2003-08-24T05:14:15.000003-07:00 192.0.2.1 myproc 8710 - - %% It is time to make the do-nuts.',
      { facility: 'local4', severity: 'notice', sentAt: '2003-08-24T12:14:15.000Z', pid: '8710' },
    ],
    [
      '§6.5 example 3',
      '<165>1 2003-10-11T22:14:15.003Z host evntslog - ID47 [exampleSDID@32473 iut="3" eventID="10\\]11"][x@1 a="b"] An event',
      { app: 'evntslog', text: 'An event' },
    ],
    ['without a message', '<165>1 - - - - - [x@1]', { sentAt: null, host: '', app: '', text: '' }],
    ['with a time that is none', '<13>1 2003-13-45T99:00:00Z h a - - - m', { sentAt: null, text: 'm' }],
  ])('%s', (_, text, expected) => expect(parse(text)).toMatchObject({ format: 'rfc5424', ...expected }));
});

describe('RFC 3164', () => {
  it.each<[string, string, object]>([
    [
      '§5.4 example 1',
      "<34>Oct 11 22:14:15 mymachine su: 'su root' failed for lonvick on /dev/pts/8",
      {
        facility: 'auth',
        severity: 'crit',
        host: 'mymachine',
        app: 'su',
        text: "'su root' failed for lonvick on /dev/pts/8",
      },
    ],
    [
      'with a process',
      '<13>Feb  5 17:32:18 node-1 dhclient[412]: bound',
      { host: 'node-1', app: 'dhclient', pid: '412' },
    ],
    [
      'without a host',
      '<6>Feb  5 17:32:18 kernel: [    0.5] Linux',
      { host: '', app: 'kernel', text: '[    0.5] Linux' },
    ],
    [
      'without a host, and a text that begins as a tag does',
      '<13>Feb  5 17:32:18 tink-worker: 2026-02-05T17:32:17.993Z enrolled',
      { host: '', app: 'tink-worker', text: '2026-02-05T17:32:17.993Z enrolled' },
    ],
    [
      'without a host, with a process and such a text',
      '<13>Feb  5 17:32:18 dhclient[412]: eth0: bound',
      { host: '', app: 'dhclient', pid: '412', text: 'eth0: bound' },
    ],
    ['of a host by its address', '<13>Feb  5 17:32:18 fd99::1 su: x', { host: 'fd99::1', app: 'su', text: 'x' }],
    [
      'with a time of ISO 8601 (RSYSLOG_ForwardFormat)',
      '<30>2026-02-05T18:32:18.123456+01:00 node-1 systemd[1]: Started sshd.',
      { sentAt: '2026-02-05T17:32:18.123Z', host: 'node-1', app: 'systemd', pid: '1', text: 'Started sshd.' },
    ],
    [
      'with such a time and without a host',
      '<13>2026-02-05T17:32:18Z tink-worker: enrolled',
      { sentAt: '2026-02-05T17:32:18.000Z', host: '', app: 'tink-worker', text: 'enrolled' },
    ],
    ['without a time', '<6>ipxe: net0: link up', { facility: 'kern', host: '', app: 'ipxe', text: 'net0: link up' }],
    ['without anything', '<0>hello world', { severity: 'emerg', app: '', text: 'hello world' }],
    ['with broken structured data', '<13>1 - h a - - [x text', { text: '1 - h a - - [x text' }],
  ])('%s', (_, text, expected) => expect(parse(text)).toMatchObject({ format: 'rfc3164', sentAt: null, ...expected }));
});

describe('anything else', () => {
  it.each([
    ['no priority', 'hello', 'hello'],
    ['a priority too high', '<192>hello', '<192>hello'],
    ['nothing', '', ''],
    ['an escape sequence', 'a\u001b[31mb\tc\n', 'a\\u001b[31mb\tc'],
  ])('%s is a message of user.notice', (_, text, expected) =>
    expect(parse(text)).toEqual({
      ...{ format: 'none', facility: 'user', severity: 'notice', sentAt: null, host: '', app: '', pid: '' },
      text: expected,
    }),
  );

  it('is taken byte by byte, whatever it is', () => {
    let seed = 7;
    const next = () => (seed = (seed * 1_103_515_245 + 12_345) & 0x7fff_ffff);
    const sample = new TextEncoder().encode('<165>1 2003-10-11T22:14:15.003Z h a 1 - [x@1 a="b\\"c"] m');
    for (let i = 0; i < 5000; i++) {
      const bytes = sample.slice(0, next() % (sample.length + 1));
      for (let flips = next() % 4; flips > 0 && bytes.length > 0; flips--) bytes[next() % bytes.length] = next() & 0xff;
      const { text, facility } = parseSyslog(bytes);
      expect(facility).toBeTypeOf('string');

      expect(text).not.toMatch(/[\u0000-\u0008\u000a-\u001f\u007f]/);
    }
  });

  it('does not take long over a hostile header', () => {
    const hostile = `<13>1 - - - - - ${'[a b="'.repeat(8000)}`;
    expect(parse(hostile).format).toBe('rfc3164');
  });
});
