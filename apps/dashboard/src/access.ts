import { createHash, timingSafeEqual } from 'node:crypto';
import ipaddr from 'ipaddr.js';

export interface AccessPolicy {
  readonly username: string;
  readonly password: string;
  /** Without credentials: answer only requests that name this machine itself, so that no other site's name can lead here. */
  readonly onlyLocalNames: boolean;
}

export type Verdict = 'ok' | 'authenticate' | 'wrong-host';

/** May this request in? `host` and `authorization` are the header fields. */
export function judge(policy: AccessPolicy, host: string, authorization: string): Verdict {
  if (policy.password !== '') return hasCredentials(policy, authorization) ? 'ok' : 'authenticate';
  return policy.onlyLocalNames && !isLocalName(host) ? 'wrong-host' : 'ok';
}

/** `127.0.0.0/8`, `::1` and `localhost`. */
export function isLoopback(address: string): boolean {
  return address === 'localhost' || (ipaddr.isValid(address) && ipaddr.process(address).range() === 'loopback');
}

function isLocalName(host: string): boolean {
  const name = host.replace(/:\d+$/, '').replace(/^\[(.*)\]$/, '$1');
  return isLoopback(name);
}

function hasCredentials({ username, password }: AccessPolicy, authorization: string): boolean {
  const [, encoded = ''] = /^Basic ([A-Za-z0-9+/=]+)$/i.exec(authorization) ?? [];
  return timingSafeEqual(digest(Buffer.from(encoded, 'base64').toString('utf8')), digest(`${username}:${password}`));
}

/** Equal lengths, so that the comparison takes equal time. */
function digest(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}
