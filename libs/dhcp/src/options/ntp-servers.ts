import { ipv4ListOption } from '../fields';

/** RFC 2132 §8.3, best first. */
export const ntpServers = ipv4ListOption(42, 'ntp-servers');
