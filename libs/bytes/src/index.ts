export { domainsOption } from './domains';
export { MalformedOptionError, MalformedPacketError } from './errors';
export { formatIpv6, ipv4Text, ipv6Number, parseIp, parseIpv4, parseIpv6, prefixLength } from './ip';
export type { OptionCodec } from './option-codec';
export { clientInterfaceOption, expectLength, textOption, uint16ListOption, uint32Option } from './options';
export type { ClientInterface } from './options';
export { concat, hexDigits, hexOf, latin1, readText, textBytes, withoutPadding } from './text';
