import { ipv4Option } from '../fields';

/** RFC 2132 §9.7: in a REQUEST, which server the client chose. */
export const serverIdentifier = ipv4Option(54, 'server-identifier');
