import { ipv4ListOption } from '../fields';

/** Default gateways (RFC 2132 §3.5), best first. */
export const routers = ipv4ListOption(3, 'routers');
