import type { OptionCodec } from '@tinkerbell/bytes';
import { bootFileParameters, bootFileUrl, clientArch, clientInterface, linkLayerAddress } from './options/boot';
import { userClass, vendorClass, vendorOptions } from './options/classes';
import { clientId, serverId } from './options/identifiers';
import { iaAddress, iaNa, iaPd, iaTa } from './options/identity-association';
import { interfaceId } from './options/interface-id';
import { relayMessage, relaySourcePort } from './options/relay-message';
import { elapsedTime, optionRequest, preference, rapidCommit } from './options/requests';
import { dnsServers, domainSearch, informationRefreshTime, ntpServers, sntpServers } from './options/servers';
import { statusCode } from './options/status-code';

/** Every option whose value we can read and write. */
export const optionCodecs: readonly OptionCodec<unknown>[] = [
  ...[clientId, serverId, iaNa, iaTa, iaAddress, iaPd],
  ...[optionRequest, preference, elapsedTime, relayMessage, statusCode, rapidCommit],
  ...[userClass, vendorClass, vendorOptions, interfaceId, relaySourcePort],
  ...[dnsServers, domainSearch, sntpServers, informationRefreshTime, ntpServers],
  ...[bootFileUrl, bootFileParameters, clientArch, clientInterface, linkLayerAddress],
];
