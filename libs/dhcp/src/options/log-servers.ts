import { ipv4ListOption } from '../fields';

/** Syslog servers (RFC 2132 §3.9); iPXE logs to the first. */
export const logServers = ipv4ListOption(7, 'log-servers');
