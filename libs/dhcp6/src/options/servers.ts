import { domainsOption, MalformedOptionError, type OptionCodec, parseIpv6, uint32Option } from '@tinkerbell/bytes';
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

/** RFC 5908 §4, in the order of their sub-options, from 1. */
const timeServerKinds = ['address', 'group', 'name'] as const;

export interface TimeServer {
  /** `group`: multicast. */
  readonly kind: (typeof timeServerKinds)[number];
  readonly value: string;
}

const serverName = domainsOption(56, 'ntp-server-name', false);

/** RFC 5908: a time server. A message has the option once for each of them; more in one are read all the same. */
export const ntpServers: OptionCodec<readonly TimeServer[]> = {
  code: 56,
  name: 'ntp-servers',
  decode(raw) {
    return nestedOptions(56, raw, 0).flatMap(({ code, value: own }) => {
      const kind = timeServerKinds[code - 1];
      return kind ? [{ kind, value: kind === 'name' ? readName(own) : readServer(code, own) }] : [];
    });
  },
  encode: (servers) =>
    encodeOptions(
      servers.map(({ kind, value }) => ({
        code: timeServerKinds.indexOf(kind) + 1,
        value: kind === 'name' ? serverName.encode([value]) : addressBytes(value),
      })),
    ),
};

/** By address, multicast address or name. */
export function timeServer(value: string): TimeServer {
  const [first] = parseIpv6(value) ?? [];
  if (first === undefined) return { kind: 'name', value };
  return { kind: first >>> 8 === 0xff ? 'group' : 'address', value };
}

function readServer(code: number, raw: Uint8Array): string {
  if (raw.length === 16) return readAddress(raw, 0);
  throw new MalformedOptionError({ option: 56, reason: `sub-option ${code} of ${raw.length} bytes, expected 16` });
}

function readName(raw: Uint8Array): string {
  const names = serverName.decode(raw);
  if (names.length === 1 && names[0] !== undefined) return names[0];
  throw new MalformedOptionError({ option: 56, reason: `sub-option 3 of ${names.length} names, expected one` });
}
