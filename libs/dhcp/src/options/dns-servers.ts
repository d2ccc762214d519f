import { ipv4ListOption } from '../fields';

/** RFC 2132 §3.8, best first. */
export const dnsServers = ipv4ListOption(6, 'dns-servers');
