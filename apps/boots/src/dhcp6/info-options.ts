import {
  bootFileUrl,
  type Dhcp6Message,
  dnsServers,
  domainSearch,
  informationRefreshTime,
  ntpServers,
  option,
  type Option,
  optionRequest,
  readOption,
  sntpServers,
  vendorClass,
} from '@tinkerbell/dhcp6';
import { parseIpv6 } from '@tinkerbell/bytes';
import type { Boot6 } from './boot6';
import type { Dhcp6Context } from './decision6';

/** RFC 8415 §21.23: a day, its default. */
const refreshSeconds = 86_400;

/** What the client asked for (RFC 8415 §21.7), and what firmware needs whether it asks or not. */
export function infoOptions(request: Dhcp6Message, context: Dhcp6Context, boot: Boot6 | undefined): readonly Option[] {
  // One that is asked for a thousand times is sent once.
  const asked = [...new Set(readOption(request.options, optionRequest) ?? [])];
  const known = networkOptions(context);
  return [
    ...asked.flatMap((code) => known.find((candidate) => candidate.code === code) ?? []),
    ...(request.type === 'information-request' ? [option(informationRefreshTime, refreshSeconds)] : []),
    ...bootOptions(request, boot),
  ];
}

function networkOptions({ machine, subnet, server }: Dhcp6Context): readonly Option[] {
  const own = (machine?.interface.dhcp.name_servers ?? []).filter(isIpv6);
  const dns = own.length > 0 ? own : (subnet?.nameServers ?? server.nameServers);
  const clocks = (machine?.interface.dhcp.time_servers ?? []).filter(isIpv6);
  const domain = machine?.interface.dhcp.domain_name ?? '';
  return [
    ...(dns.length > 0 ? [option(dnsServers, dns)] : []),
    ...(domain === '' ? [] : [option(domainSearch, [domain])]),
    ...(clocks.length > 0 ? [option(ntpServers, clocks), option(sntpServers, clocks)] : []),
  ];
}

/** UEFI takes a reply for HTTP boot only when it carries the class it sent. */
function bootOptions({ options }: Dhcp6Message, boot: Boot6 | undefined): readonly Option[] {
  if (!boot) return [];
  const vendor = boot.client.kind === 'HTTPClient' ? readOption(options, vendorClass) : undefined;
  return [
    option(bootFileUrl, boot.url),
    ...(vendor ? [option(vendorClass, { ...vendor, classes: ['HTTPClient'] })] : []),
  ];
}

function isIpv6(address: string): boolean {
  return parseIpv6(address) !== undefined;
}
