import { ConfigError } from '@tinkerbell/config';
import type { LeaseRow } from '@tinkerbell/projections';
import type { Site } from './answer';
import { parseTrustedProxies } from './client-address';
import type { HegelConfig } from './hegel.config';
import type { HegelPorts } from './hegel-ports';
import type { InstanceIndex } from './instance-index';

const defaultEndpoints = { '/metadata': '.metadata.instance' };

/** Settings and ports → what answers are made from. Throws ConfigError. A filter is not read before it is asked for. */
export function siteOf(config: HegelConfig, { hardware, leases }: HegelPorts, instances: InstanceIndex): Site {
  return {
    hardware,
    leaseOf: (address) => {
      const lease = leases?.get(address);
      return lease && isHeld(lease, Date.now()) ? lease : undefined;
    },
    byInstanceId: (id) => instances.find(id),
    trusted: orConfigError('TRUSTED_PROXIES', () => parseTrustedProxies(config.TRUSTED_PROXIES)),
    endpoints: orConfigError('CUSTOM_ENDPOINTS', () => parseEndpoints(config.CUSTOM_ENDPOINTS)),
    listing: config.HEGEL_DIRECTORY_SLASH ? 'slash' : 'plain',
    instanceUrls: config.HEGEL_INSTANCE_URLS,
  };
}

function isHeld({ state, expiresAt }: LeaseRow, now: number): boolean {
  return state === 'bound' && expiresAt !== null && Date.parse(expiresAt) > now;
}

function parseEndpoints(text: string): Readonly<Record<string, string>> {
  if (text === '') return defaultEndpoints;
  const parsed: unknown = JSON.parse(text);
  if (typeof parsed !== 'object' || parsed === null || Array.isArray(parsed)) throw new TypeError('not a JSON object');
  const wrong = Object.entries(parsed).find(([, filter]) => typeof filter !== 'string');
  if (wrong) throw new TypeError(`the filter of ${wrong[0]} is not a string`);
  return parsed as Record<string, string>;
}

function orConfigError<T>(name: string, parse: () => T): T {
  try {
    return parse();
  } catch (error) {
    throw Object.assign(new ConfigError([`${name}: ${error instanceof Error ? error.message : String(error)}`]), {
      cause: error,
    });
  }
}
