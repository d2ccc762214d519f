import { describe, expect, it } from 'vitest';
import { loadConfig } from '@tinkerbell/config';
import { judge } from './access';
import { DashboardConfig } from './dashboard.config';
import { listenOn } from './listen-on';

const basic = (text: string) => `Basic ${Buffer.from(text).toString('base64')}`;
const where = (env: Record<string, string>) => listenOn(loadConfig(DashboardConfig, env));

describe('who may look', () => {
  it('is who knows the password, when there is one', () => {
    const { address, policy } = where({ DASHBOARD_USERNAME: 'ada', DASHBOARD_PASSWORD: 'lövelace:1' });
    expect(address).toBe('0.0.0.0');
    expect(judge(policy, 'anything', basic('ada:lövelace:1'))).toBe('ok');
    for (const wrong of ['', 'Basic', 'Basic !', basic('ada:x'), basic('eve:lövelace:1'), 'Bearer abc']) {
      expect(judge(policy, 'localhost', wrong)).toBe('authenticate');
    }
  });

  it('is this machine alone without a password, under its own name', () => {
    const { address, policy } = where({});
    expect(address).toBe('127.0.0.1');
    for (const host of ['localhost:42180', '127.0.0.1', '[::1]:42180']) expect(judge(policy, host, '')).toBe('ok');
    for (const host of ['evil.example:42180', '', '10.0.0.1']) expect(judge(policy, host, '')).toBe('wrong-host');
  });

  it('is everybody only when told so', () => {
    expect(() => where({ DASHBOARD_HTTP_ADDRESS: '10.0.0.1' })).toThrow('DASHBOARD_ALLOW_ANONYMOUS');
    const { policy } = where({ DASHBOARD_HTTP_ADDRESS: '10.0.0.1', DASHBOARD_ALLOW_ANONYMOUS: 'true' });
    expect(judge(policy, 'rack7.example', '')).toBe('ok');
    expect(() => where({ DASHBOARD_USERNAME: 'ada' })).toThrow('give both or neither');
  });
});
