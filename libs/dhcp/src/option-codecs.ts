import type { OptionCodec } from '@tinkerbell/bytes';
import { bootFileName } from './options/boot-file-name';
import { broadcastAddress } from './options/broadcast-address';
import { classlessRoutes } from './options/classless-routes';
import { clientArch } from './options/client-arch';
import { clientIdentifier } from './options/client-identifier';
import { clientInterface } from './options/client-interface';
import { clientMachineId } from './options/client-machine-id';
import { dnsServers } from './options/dns-servers';
import { domainName } from './options/domain-name';
import { domainSearch } from './options/domain-search';
import { hostName } from './options/host-name';
import { ipxeOptions } from './options/ipxe-options';
import { leaseTime } from './options/lease-time';
import { logServers } from './options/log-servers';
import { maxMessageSize } from './options/max-message-size';
import { message } from './options/message';
import { messageType } from './options/message-type';
import { ntpServers } from './options/ntp-servers';
import { optionOverload } from './options/option-overload';
import { parameterRequestList } from './options/parameter-request-list';
import { rebindingTime } from './options/rebinding-time';
import { relayAgent } from './options/relay-agent';
import { renewalTime } from './options/renewal-time';
import { requestedAddress } from './options/requested-address';
import { routers } from './options/routers';
import { serverIdentifier } from './options/server-identifier';
import { subnetMask } from './options/subnet-mask';
import { tftpServerName } from './options/tftp-server-name';
import { userClass } from './options/user-class';
import { vendorClass } from './options/vendor-class';
import { vendorSpecific } from './options/vendor-specific';

/** Every option whose value we can read and write. */
export const optionCodecs: readonly OptionCodec<unknown>[] = [
  bootFileName,
  broadcastAddress,
  classlessRoutes,
  clientArch,
  clientIdentifier,
  clientInterface,
  clientMachineId,
  dnsServers,
  domainName,
  domainSearch,
  hostName,
  ipxeOptions,
  leaseTime,
  logServers,
  maxMessageSize,
  message,
  messageType,
  ntpServers,
  optionOverload,
  parameterRequestList,
  rebindingTime,
  relayAgent,
  renewalTime,
  requestedAddress,
  routers,
  serverIdentifier,
  subnetMask,
  tftpServerName,
  userClass,
  vendorClass,
  vendorSpecific,
];
