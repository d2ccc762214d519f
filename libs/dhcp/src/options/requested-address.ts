import { ipv4Option } from '../fields';

/** RFC 2132 §9.1: what the client had or was offered. */
export const requestedAddress = ipv4Option(50, 'requested-address');
