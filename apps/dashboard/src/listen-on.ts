import { ConfigError } from '@tinkerbell/config';
import { isLoopback, type AccessPolicy } from './access';
import type { DashboardConfig } from './dashboard.config';

/** Where to listen and whom to let in. Throws ConfigError rather than show everything to everybody by accident. */
export function listenOn(config: DashboardConfig): { readonly address: string; readonly policy: AccessPolicy } {
  const { DASHBOARD_USERNAME: username, DASHBOARD_PASSWORD: password } = config;
  if ((username === '') !== (password === '')) {
    throw new ConfigError(['DASHBOARD_USERNAME, DASHBOARD_PASSWORD: give both or neither']);
  }
  const address = config.DASHBOARD_HTTP_ADDRESS || (password === '' ? '127.0.0.1' : '0.0.0.0');
  const local = isLoopback(address);
  if (password === '' && !local && !config.DASHBOARD_ALLOW_ANONYMOUS) {
    throw new ConfigError([
      `DASHBOARD_HTTP_ADDRESS=${address}: without DASHBOARD_USERNAME and DASHBOARD_PASSWORD the dashboard listens on loopback only; ` +
        'set both, or DASHBOARD_ALLOW_ANONYMOUS=true',
    ]);
  }
  return { address, policy: { username, password, onlyLocalNames: local && !config.DASHBOARD_ALLOW_ANONYMOUS } };
}
