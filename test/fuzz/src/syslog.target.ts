import { facilities, parseSyslog, severities, type SyslogMessage } from '@tinkerbell/syslog';
import type { Random } from './random';
import { BrokenPromiseError, expectSame, type Target } from './target';

/** Syslog never refuses: `taken` are the lines that have a header. */
export const syslog: Target = {
  name: 'syslog',
  about: 'lines of syslog, RFC 5424, RFC 3164 and neither',
  longest: 2048,
  generate(random) {
    const message = randomMessage(random);
    const bytes = Buffer.from(line5424(message, random.chance(2) ? structuredData(random) : '-'));
    expectSame('parse(RFC 5424 line)', parseSyslog(bytes), message);
    return random.chance(2) ? bytes : Buffer.from(line3164(message, random));
  },
  check(bytes) {
    const { format, facility, severity, sentAt, ...fields } = parseSyslog(bytes);
    expectSame('facility and severity', [facilities.includes(facility), severities.includes(severity)], [true, true]);
    if (sentAt !== null) expectSame('sentAt', new Date(sentAt).toISOString(), sentAt);
    const control = /[\0-\x08\x0a-\x1f\x7f]/;
    if (control.test(fields.text)) throw new BrokenPromiseError(`text has a control character: ${fields.text}`);
    return format !== 'none';
  },
};

function randomMessage(random: Random): SyslogMessage {
  return {
    format: 'rfc5424',
    facility: random.pick(facilities),
    severity: random.pick(severities),
    sentAt: random.chance(4) ? null : new Date(random.below(2 ** 31) * 1000).toISOString(),
    host: random.chance(4) ? '' : word(random, 64),
    app: random.chance(4) ? '' : word(random, 48),
    pid: random.chance(4) ? '' : word(random, 16),
    text: random.chance(8) ? '' : `${word(random, 20)} ${word(random, 100)}`,
  };
}

function line5424(message: SyslogMessage, data: string): string {
  const { sentAt, host, app, pid, text } = message;
  const fields = [sentAt ?? '', host, app, pid].map((field) => (field === '' ? '-' : field));
  return `<${priority(message)}>1 ${fields.join(' ')} - ${data}${text === '' ? '' : ` ${text}`}`;
}

function line3164(message: SyslogMessage, random: Random): string {
  const time = random.chance(2) ? 'Oct 11 22:14:15 ' : '';
  const tag = random.chance(4) ? '' : `${message.app}[${message.pid}]: `;
  return `<${priority(message)}>${time}${random.chance(2) ? `${message.host} ` : ''}${tag}${message.text}`;
}

function priority({ facility, severity }: SyslogMessage): number {
  return facilities.indexOf(facility) * severities.length + severities.indexOf(severity);
}

function structuredData(random: Random): string {
  const value = () => word(random, 12).replaceAll(/["\\\]]/g, (c) => `\\${c}`);
  const name = () => `n${random.below(1000)}`;
  const element = () =>
    `[${name()}${Array.from({ length: random.below(4) }, () => ` ${name()}="${value()}"`).join('')}]`;
  return Array.from({ length: 1 + random.below(3) }, element).join('');
}

/** One character or more of printable ASCII, no space; never a lone `-`, which stands for nothing. */
function word(random: Random, longest: number): string {
  const length = 1 + random.below(longest);
  const text = Array.from({ length }, () => String.fromCharCode(33 + random.below(94))).join('');
  return text === '-' ? '_' : text;
}
