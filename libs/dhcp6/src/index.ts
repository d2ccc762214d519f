export { MalformedOptionError, MalformedPacketError } from '@tinkerbell/bytes';
export type { OptionCodec } from '@tinkerbell/bytes';
export { decodeMessage, maxRelays, unwrapRelays } from './decode-message';
export type { Unwrapped } from './decode-message';
export { duidBytes, hexOf, macOfDuid, macText, maxDuidLength, parseDuid } from './duid';
export type { Duid } from './duid';
export { encodeMessage, wrapReply } from './encode-message';
export { addressBytes, noAddress, readAddress } from './fields';
export { isRelayed, messageTypes, option, readOption, readOptions } from './message';
export type { Dhcp6Message, MessageType, Option, Options, RelayMessage, RelayType } from './message';
export { optionCodecs } from './option-codecs';
export {
  bootFileParameters,
  bootFileUrl,
  clientArch,
  clientInterface,
  linkLayerAddress,
  linkLayerMac,
} from './options/boot';
export type { LinkLayerAddress } from './options/boot';
export { userClass, vendorClass, vendorOptions } from './options/classes';
export type { VendorClass, VendorOptions } from './options/classes';
export { clientId, serverId } from './options/identifiers';
export { iaAddress, iaNa, iaPd, iaTa } from './options/identity-association';
export type { IaAddress, IdentityAssociation } from './options/identity-association';
export { interfaceId } from './options/interface-id';
export { relayMessage, relaySourcePort } from './options/relay-message';
export { elapsedTime, optionRequest, preference, rapidCommit } from './options/requests';
export {
  dnsServers,
  domainSearch,
  informationRefreshTime,
  ntpServers,
  sntpServers,
  timeServer,
} from './options/servers';
export type { TimeServer } from './options/servers';
export { status, statusCode } from './options/status-code';
export type { StatusCode } from './options/status-code';
