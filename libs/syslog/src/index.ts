export { facilities, parseSyslog, severities } from './parse-syslog';
export type { Facility, Severity, SyslogMessage } from './parse-syslog';
