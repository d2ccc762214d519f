import { concat, domainsOption, MalformedOptionError, type OptionCodec, uint32Option } from '@tinkerbell/bytes';
import { addressBytes, addressesOption, nestedOptions, readAddress } from '../fields';
import { encodeOptions } from '../option-list';

/** RFC 3646 §3. */
export const dnsServers = addressesOption(23, 'dns-servers');
/** RFC 3646 §4. */
export const domainSearch = domainsOption(24, 'domain-search', false);
/** RFC 4075; what came before option 56. */
export const sntpServers = addressesOption(31, 'sntp-servers');
/** RFC 8415 §21.23, in seconds. */
export const informationRefreshTime = uint32Option(32, 'information-refresh-time');

const serverAddress = 1;

/** RFC 5908: time servers by address (sub-option 1); names and multicast groups are left out. */
export const ntpServers: OptionCodec<readonly string[]> = {
  code: 56,
  name: 'ntp-servers',
  decode(raw) {
    return nestedOptions(56, raw, 0)
      .filter(({ code }) => code === serverAddress)
      .map(({ value }) => {
        if (value.length === 16) return readAddress(value, 0);
        throw new MalformedOptionError({ option: 56, reason: `sub-option 1 of ${value.length} bytes, expected 16` });
      });
  },
  encode: (addresses) =>
    concat(addresses.map((address) => encodeOptions([{ code: serverAddress, value: addressBytes(address) }]))),
};
