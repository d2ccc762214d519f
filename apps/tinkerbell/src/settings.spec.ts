import { describe, expect, it } from 'vitest';
import { checkSettings } from './settings';
import { TinkerbellConfig } from './tinkerbell.config';

const check = (env: Readonly<Record<string, string>>, config: Partial<TinkerbellConfig> = {}) =>
  checkSettings({ config: { ...new TinkerbellConfig(), ...config }, address: '192.0.2.1', env });

describe('the settings of every part', () => {
  it('are right without any', async () => {
    await check({});
    await check({}, { IP6: '2001:db8::1' });
  });

  // Before anything is started: nothing runs here.
  it.each([
    ['boots', { BOOTS_DHCP_MODE: 'sometimes' }, /BOOTS_DHCP_MODE=sometimes/],
    ['its file', { BOOTS_DHCP_FILE: '/nowhere/pools.yaml' }, /pools\.yaml cannot be read/],
    ['tink-server', { TINK_ACTION_GRACE_SECONDS: 'soon' }, /TINK_ACTION_GRACE_SECONDS/],
    ['hegel', { HEGEL_DIRECTORY_SLASH: 'perhaps' }, /HEGEL_DIRECTORY_SLASH/],
    ['the dashboard', { DASHBOARD_USERNAME: 'ann' }, /give both or neither/],
  ])('are checked: %s', (_, env, fault) => expect(check(env)).rejects.toThrow(fault));

  it('say to whom the dashboard is open before it is', () =>
    expect(check({}, { DASHBOARD_HOST: '0.0.0.0' })).rejects.toThrow(/listens on loopback only/));
});
