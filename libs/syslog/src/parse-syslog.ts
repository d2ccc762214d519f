/** RFC 5424 §6.2.1, in the order of their codes; names as syslog(3) has them. */
export const facilities = [
  ...(['kern', 'user', 'mail', 'daemon', 'auth', 'syslog', 'lpr', 'news', 'uucp', 'cron', 'authpriv', 'ftp'] as const),
  ...(['ntp', 'audit', 'alert', 'clock', 'local0', 'local1', 'local2', 'local3', 'local4', 'local5'] as const),
  ...(['local6', 'local7'] as const),
] as const;
export const severities = ['emerg', 'alert', 'crit', 'err', 'warning', 'notice', 'info', 'debug'] as const;
export type Facility = (typeof facilities)[number];
export type Severity = (typeof severities)[number];

export interface SyslogMessage {
  readonly format: 'rfc5424' | 'rfc3164' | 'none';
  readonly facility: Facility;
  readonly severity: Severity;
  /** ISO 8601 by the sender's clock; null where it gave none, or one without a year, as in RFC 3164. */
  readonly sentAt: string | null;
  /** As the sender calls itself; '' when it does not. */
  readonly host: string;
  /** APP-NAME, or the TAG of RFC 3164; '' without one. */
  readonly app: string;
  /** PROCID, or what stands in brackets behind the TAG; '' without one. */
  readonly pid: string;
  /** UTF-8; control characters are written as `\u00XX`, tabs stay. */
  readonly text: string;
}

/** RFC 3164 §4.3.3: user.notice. */
const defaultPriority = 13;
const highestPriority = facilities.length * severities.length - 1;
const utf8 = new TextDecoder();

/** RFC 5424 §6, RFC 3164 §4.1; never throws. */
export function parseSyslog(bytes: Uint8Array): SyslogMessage {
  const whole = utf8.decode(bytes).replace(/[\r\n\0]+$/, '');
  const [head = '', digits = ''] = /^<(\d{1,3})>/.exec(whole) ?? [];
  const priority = Number(digits);
  if (head === '' || priority > highestPriority) return withoutHeader(whole);
  const rest = whole.slice(head.length);
  return rfc5424(rest, priority) ?? rfc3164(rest, priority);
}

function withoutHeader(text: string): SyslogMessage {
  return {
    format: 'none',
    ...kindOf(defaultPriority),
    sentAt: null,
    host: '',
    app: '',
    pid: '',
    text: printable(text),
  };
}

function kindOf(priority: number): Pick<SyslogMessage, 'facility' | 'severity'> {
  return { facility: facilities[priority >> 3] ?? 'user', severity: severities[priority & 7] ?? 'notice' };
}

const header5424 = /^1 (\S{1,64}) (\S{1,255}) (\S{1,48}) (\S{1,128}) (\S{1,32}) /;

function rfc5424(rest: string, priority: number): SyslogMessage | undefined {
  const header = header5424.exec(rest);
  if (!header) return undefined;
  const [head, time = '', host = '', app = '', pid = ''] = header;
  const text = afterStructuredData(rest.slice(head.length));
  if (text === undefined) return undefined;
  const orNone = (field: string) => (field === '-' ? '' : field);
  const sentAt = isoTime(time);
  const fields = { sentAt, host: orNone(host), app: orNone(app), pid: orNone(pid) };
  return { format: 'rfc5424', ...kindOf(priority), ...fields, text: printable(text.replace(/^\ufeff/, '')) };
}

/** The MSG behind the STRUCTURED-DATA (RFC 5424 §6.3); undefined when this is none. */
function afterStructuredData(text: string): string | undefined {
  if (text === '-' || text.startsWith('- ')) return text.slice(2);
  const elements = /^(?:\[[^\s=\]"]{1,32}(?: [^\s=\]"]{1,32}="(?:[^"\\\]]|\\.)*")*\])+/.exec(text)?.[0];
  if (elements === undefined) return undefined;
  const rest = text.slice(elements.length);
  return rest === '' || rest.startsWith(' ') ? rest.slice(1) : undefined;
}

/** RFC 5424 §6.2.3. */
function isoTime(text: string): string | null {
  if (!/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,6})?(Z|[+-]\d\d:\d\d)$/.test(text)) return null;
  const time = Date.parse(text);
  return Number.isNaN(time) ? null : new Date(time).toISOString();
}

const time3164 = /^(?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec) [ \d]\d \d\d:\d\d:\d\d /;
/** What rsyslog (RSYSLOG_ForwardFormat), syslog-ng and management controllers write in its place. */
const timeIso = /^(\d{4}-\d\d-\d\dT\S{8,24}) /;

/** Many senders leave the time or the host out: what is not there is not made up. */
function rfc3164(rest: string, priority: number): SyslogMessage {
  const sentAt = isoTime(timeIso.exec(rest)?.[1] ?? '');
  const time = (sentAt === null ? time3164 : timeIso).exec(rest)?.[0] ?? '';
  const untimed = rest.slice(time.length);
  // A host stands before the tag, and only behind a time; busybox leaves it out. What ends in a colon is the tag, whatever the text
  // looks like.
  const host = time === '' ? '' : (/^(\S*[^\s:]) (?=[^\s:[]{1,48}(?:\[[^\]]{0,128}\])?:)/.exec(untimed)?.[1] ?? '');
  const content = host === '' ? untimed : untimed.slice(host.length + 1);
  const tag = /^([^\s:[\]]{1,48})(?:\[([^\]]{0,128})\])?: ?/.exec(content);
  const [head = '', app = '', pid = ''] = tag ?? [];
  const text = printable(content.slice(head.length));
  return { format: 'rfc3164', ...kindOf(priority), sentAt, host, app, pid, text };
}

function printable(text: string): string {
  return text.replace(
    /[\u0000-\u0008\u000a-\u001f\u007f]/g,
    (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}
