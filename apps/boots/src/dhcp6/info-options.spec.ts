import {
  bootFileUrl,
  clientArch,
  option,
  type Option,
  optionRequest,
  readOption,
  readOptions,
  vendorClass,
} from '@tinkerbell/dhcp6';
import { describe, expect, it } from 'vitest';
import type { Dhcp6Context } from './decision6';
import { type Subnet6 } from './subnet6';
import { subnet, machine, leased, bound, context, known, ia, message, toUs, replied } from './requests6.testing';

describe('options by number', () => {
  const wants = (...codes: readonly number[]) => option(optionRequest, codes);
  const texts = ({ options }: { readonly options: readonly Option[] }, ...codes: readonly number[]) =>
    options
      .filter(({ code }) => codes.includes(code))
      .map(({ code, value }) => `${code} ${Buffer.from(value).toString('hex')}`);
  const ntp = (address: string) => `56 00010010fd99${address.padStart(28, '0')}`;
  const set: Dhcp6Context['options'] = [
    { code: 65001, type: 'uint16', value: 258 },
    { code: 56, type: 'ntp', value: ['fd99::5', 'ntp.lab'] },
    { code: 23, type: 'ips', value: ['fd99::6'] },
  ];

  it('are sent whether asked for or not, those asked for first', () => {
    const asking = message('solicit', ia(), wants(56, 9999));
    const { options } = replied(asking, context({ options: set }));
    expect(options.map(({ code }) => code)).toEqual([1, 2, 3, 56, 56, 65001, 23]);
    expect(texts({ options }, 56, 65001)).toEqual([ntp('5'), '56 00030009036e7470036c616200', '65001 0102']);
  });
  it('go before what the subnet and the settings say by name, and behind the record', () => {
    const dhcp = { ...machine.interface.dhcp, name_servers: ['fd99::8'], domain_name: '' };
    const named = { ...machine, interface: { ...machine.interface, dhcp } };
    const more = {
      ...(subnet as Subnet6),
      nameServers: ['fd99::7'],
      domainSearch: ['a', 'b'],
      timeServers: ['fd99::9'],
    };
    const asking = message('request', toUs, ia(), wants(23, 24, 56, 31, 23));
    const dns = (last: string) => `23 fd99${'0'.repeat(27)}${last}`;
    expect(texts(replied(asking, context({ machine: named, options: set })), 23)).toEqual([dns('8')]);
    expect(texts(replied(asking, known({ options: set, subnet: more })), 23, 24, 31)).toEqual([
      ...[dns('6'), '24 016100016200', `31 fd99${'0'.repeat(27)}9`],
    ]);
    expect(texts(replied(asking, known({ subnet: more })), 23, 56)).toEqual([dns('7'), ntp('9')]);
  });
  it('of the record go before what it says by name', () => {
    const own = [
      { code: 23, type: 'ips', value: ['fd99::4'] },
      { code: 65001, type: 'uint8', value: 9 },
    ] as const;
    const dhcp = { ...machine.interface.dhcp, name_servers: ['fd99::8'], options6: own };
    const named = known({ machine: { ...machine, interface: { ...machine.interface, dhcp } }, options: [...own] });
    expect(texts(replied(message('request', toUs, ia()), named), 23, 65001)).toEqual([
      ...[`23 fd99${'0'.repeat(27)}4`, '65001 09'],
    ]);
    const { options } = replied(message('release', toUs, ia()), named);
    expect(texts({ options }, 65001)).toEqual([]);
  });
  it('has a message once for each time server', () => {
    const dhcp = { ...machine.interface.dhcp, time_servers: ['fd99::1', 'fd99::2'] };
    const timed = known({ machine: { ...machine, interface: { ...machine.interface, dhcp } } });
    const { options } = replied(message('information-request', wants(56)), timed);
    expect(texts({ options }, 56)).toEqual([ntp('1'), ntp('2')]);
  });
  it('are in no answer that only says how a request ended', () => {
    const held = known({ leases: leased(bound('fd99::20')), options: set });
    for (const type of ['confirm', 'release', 'decline'] as const) {
      const asking = type === 'confirm' ? [ia('fd99::20')] : [toUs, ia('fd99::20')];
      expect(texts(replied(message(type, ...asking), held), 65001)).toEqual([]);
    }
  });
  it('may say when to ask again', () => {
    const refresh: Dhcp6Context['options'] = [{ code: 32, type: 'uint32', value: 600 }];
    expect(texts(replied(message('information-request'), known({ options: refresh })), 32)).toEqual(['32 00000258']);
  });
  it('may name another boot file than ours, which is then nobody’s to tell of', () => {
    const file: Dhcp6Context['options'] = [{ code: 59, type: 'text', value: 'http://[fd99::2]/own.efi' }];
    const http = option(vendorClass, { enterprise: 343, classes: ['HTTPClient:Arch:00016'] });
    const asking = message('request', toUs, ia(), http, option(clientArch, [16]), wants(59));
    const answer = replied(asking, known({ options: file }));
    expect(readOptions(answer.options, bootFileUrl)).toEqual(['http://[fd99::2]/own.efi']);
    expect(readOption(answer.options, vendorClass)?.classes).toEqual(['HTTPClient']);
    expect(answer.boot).toBeUndefined();
  });
});
