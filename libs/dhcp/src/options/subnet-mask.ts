import { ipv4Option } from '../fields';

/** RFC 2132 §3.3. */
export const subnetMask = ipv4Option(1, 'subnet-mask');
