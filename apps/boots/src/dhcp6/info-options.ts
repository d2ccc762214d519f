import {
  addressBytes,
  bootFileUrl,
  type Dhcp6Message,
  dnsServers,
  domainSearch,
  informationRefreshTime,
  type MessageType,
  ntpServers,
  option,
  type Option,
  type Options,
  optionRequest,
  readOption,
  sntpServers,
  timeServer,
  vendorClass,
} from '@tinkerbell/dhcp6';
import { concat, parseIpv6 } from '@tinkerbell/bytes';
import type { HardwareDhcp6Option } from '@tinkerbell/events';
import { charBytes, hexBytes, numberBytes } from '../dhcp/record-options';
import type { Boot6 } from './boot6';
import { vendorKind } from './client6';
import type { Dhcp6Context } from './decision6';

/** RFC 8415 §21.23: a day, its default. */
const refreshSeconds = 86_400;
/** Their answer says how it ended and nothing else (RFC 8415 §18.3.3, §18.3.7, §18.3.8). */
const aboutTheLease: readonly MessageType[] = ['confirm', 'release', 'decline'];

/** What the client asked for (RFC 8415 §21.7), then what is set by number and what firmware needs, whether it asks or not. */
export function infoOptions(request: Dhcp6Message, context: Dhcp6Context, boot: Boot6 | undefined): readonly Option[] {
  // One that is asked for a thousand times is sent once.
  const asked = new Set(readOption(request.options, optionRequest) ?? []);
  const isAboutTheLease = aboutTheLease.includes(request.type);
  const set = isAboutTheLease ? [] : optionsSet(context).flatMap(setOptions);
  const own = isAboutTheLease ? [] : (context.machine?.interface.dhcp.options6 ?? []).flatMap(setOptions);
  const known = firstOfEach([own, recordOptions(context), set, subnetOptions(context), siteOptions(request, context)]);
  const codes = new Set([...asked, ...set.map(({ code }) => code)]);
  if (request.type === 'information-request') codes.add(informationRefreshTime.code);
  return [
    ...[...codes].flatMap((code) => known.filter((one) => one.code === code)),
    ...bootOptions(request, set, boot),
  ];
}

/** What is set by number: by the record, by classes, by the network; each code once. */
export function optionsSet({ options, subnet }: Dhcp6Context): readonly HardwareDhcp6Option[] {
  const all = [...options, ...(subnet?.options ?? [])];
  return all.filter(({ code }, i) => all.findIndex((other) => other.code === code) === i);
}

/** Of each code what the first of these lists that has it says. */
function firstOfEach(lists: readonly Options[]): Options {
  return lists.reduce((found, list) => {
    const codes = new Set(found.map(({ code }) => code));
    return [...found, ...list.filter(({ code }) => !codes.has(code))];
  }, []);
}

function recordOptions({ machine }: Dhcp6Context): Options {
  const { name_servers = [], time_servers = [], domain_name = '' } = machine?.interface.dhcp ?? {};
  const [dns, clocks] = [name_servers.filter(isIpv6), time_servers.filter(isIpv6)];
  return [...named(dns, domain_name === '' ? [] : [domain_name]), ...timed(clocks)];
}

function subnetOptions({ subnet }: Dhcp6Context): Options {
  return [...named(subnet?.nameServers ?? [], subnet?.domainSearch ?? []), ...timed(subnet?.timeServers ?? [])];
}

function siteOptions({ type }: Dhcp6Message, { server }: Dhcp6Context): Options {
  const refresh = type === 'information-request' ? [option(informationRefreshTime, refreshSeconds)] : [];
  return [...named(server.nameServers, []), ...refresh];
}

function named(servers: readonly string[], domains: readonly string[]): Options {
  return [
    ...(servers.length > 0 ? [option(dnsServers, servers)] : []),
    ...(domains.length > 0 ? [option(domainSearch, domains)] : []),
  ];
}

/** Option 31 knows addresses only. */
function timed(servers: readonly string[]): Options {
  const simple = servers.filter((server) => timeServer(server).kind === 'address');
  return [
    ...servers.map((server) => option(ntpServers, [timeServer(server)])),
    ...(simple.length > 0 ? [option(sntpServers, simple)] : []),
  ];
}

function setOptions(set: HardwareDhcp6Option): Options {
  const { code } = set;
  return set.type === 'ntp'
    ? set.value.map((server) => ({ code, value: ntpServers.encode([timeServer(server)]) }))
    : [{ code, value: bytesOf(set) }];
}

function bytesOf(set: Exclude<HardwareDhcp6Option, { readonly type: 'ntp' }>): Uint8Array {
  switch (set.type) {
    case 'ip':
      return addressBytes(set.value);
    case 'ips':
      return concat(set.value.map(addressBytes));
    case 'domains':
      return domainSearch.encode(set.value);
    case 'text':
      return charBytes(set.value);
    case 'hex':
      return hexBytes(set.value);
    case 'boolean':
      return Uint8Array.of(set.value ? 1 : 0);
    case 'uint8':
      return numberBytes(set.value, 1);
    case 'uint16':
      return numberBytes(set.value, 2);
    case 'uint32':
      return numberBytes(set.value, 4);
  }
}

/** UEFI takes a reply for HTTP boot only when it carries the class it sent. */
function bootOptions({ options }: Dhcp6Message, set: Options, boot: Boot6 | undefined): Options {
  const isSet = set.some(({ code }) => code === bootFileUrl.code);
  if (!boot && !isSet) return [];
  const isHttp = boot ? boot.client.kind === 'HTTPClient' : vendorKind(options) === 'HTTPClient';
  const vendor = isHttp ? readOption(options, vendorClass) : undefined;
  return [
    ...(boot ? [option(bootFileUrl, boot.url)] : []),
    ...(vendor ? [option(vendorClass, { ...vendor, classes: ['HTTPClient'] })] : []),
  ];
}

function isIpv6(address: string): boolean {
  return parseIpv6(address) !== undefined;
}
