import {
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
  ipv4Bytes,
  ipxeOptions,
  leaseTime,
  logServers,
  messageType,
  ntpServers,
  option,
  type Options,
  parameterRequestList,
  readOption,
  rebindingTime,
  relayAgent,
  renewalTime,
  routers,
  serverIdentifier,
  subnetMask,
  tftpServerName,
  vendorClass,
  vendorSpecific,
} from '@tinkerbell/dhcp';
import type { HardwareDhcp } from '@tinkerbell/events';
import type { BootClient } from './boot-client';
import { recordOptions } from './record-options';

type Entry = readonly [number, Uint8Array];

const nothing = new Uint8Array();

export interface SiteOptions {
  /** Ours: option 54 unless a relay wants another, siaddr. */
  readonly address: string;
  /** For records without name servers. */
  readonly nameServers: readonly string[];
  readonly logServers: readonly string[];
}

export interface ReplyContent {
  readonly type: 'offer' | 'ack';
  readonly request: Options;
  readonly record: HardwareDhcp;
  readonly site: SiteOptions;
  readonly serverId: string;
  /** null: an INFORM, which is about no lease. */
  readonly leaseSeconds: number | null;
  /** undefined: the client does not want to boot from us, or its record names another boot file. */
  readonly boot?: { readonly client: BootClient; readonly file: string };
}

/**
 * In order of importance: where the client takes a small message only, the end is left out. First what RFC 2131 demands, then what the
 * client asked for in its own order (RFC 2132 §9.8), then what firmware and the record want beyond that, at last what the relay added.
 */
export function replyOptions(content: ReplyContent): Map<number, Uint8Array> {
  const { request, record } = content;
  const own = recordOptions(record.options);
  const network = networkOptions(content);
  for (const [code, raw] of own) network.set(code, raw);
  // Its bytes are the codes.
  const asked = request.get(parameterRequestList.code);
  if (asked?.includes(classlessRoutes.code)) takeRoutersIntoRoutes(network, record);
  const boot = bootOptions(content, asked ?? nothing);
  const all = leaseOptions(content);
  const put = (code: number, raw: Uint8Array | undefined) => raw !== undefined && all.set(code, raw);
  // Before option 3 (RFC 2132 §3.3), and always: without it a client falls back to address classes.
  put(subnetMask.code, network.get(subnetMask.code));
  for (const code of asked ?? network.keys()) put(code, network.get(code) ?? boot.get(code));
  for (const [code, raw] of boot) put(code, raw);
  for (const [code, raw] of echoed(request, [clientIdentifier.code])) put(code, raw);
  for (const code of own.keys()) put(code, network.get(code));
  for (const [code, raw] of echoed(request, [relayAgent.code])) put(code, raw);
  return all;
}

/** Copied from the request as it came: 61 (RFC 6842), 82 (RFC 3046 §2.2), 93, 94 and 97 (RFC 4578 §2). */
export function echoed(request: Options, codes: readonly number[]): readonly Entry[] {
  const entries: Entry[] = [];
  for (const code of codes) {
    const raw = request.get(code);
    if (raw !== undefined && raw.length > 0) entries.push([code, raw]);
  }
  return entries;
}

function leaseOptions({ type, serverId, leaseSeconds }: ReplyContent): Map<number, Uint8Array> {
  const options = new Map([option(messageType, type), option(serverIdentifier, serverId)]);
  if (leaseSeconds === null) return options;
  options.set(...option(leaseTime, leaseSeconds));
  options.set(...option(renewalTime, Math.floor(leaseSeconds / 2)));
  options.set(...option(rebindingTime, Math.floor((leaseSeconds * 7) / 8)));
  return options;
}

function networkOptions({ record, site }: ReplyContent): Map<number, Uint8Array> {
  const { ip, name_servers, time_servers, hostname, domain_name } = record;
  const dns = name_servers.length > 0 ? name_servers : site.nameServers;
  const netmask = ip?.netmask ?? '';
  const options = new Map<number, Uint8Array>();
  if (netmask !== '') options.set(...option(subnetMask, netmask));
  if (ip && ip.gateway !== '') options.set(...option(routers, [ip.gateway]));
  if (dns.length > 0) options.set(...option(dnsServers, dns));
  if (hostname !== '') options.set(...option(hostName, hostname));
  if (domain_name !== '') options.set(...option(domainName, domain_name));
  if (ip && netmask !== '') options.set(broadcastAddress.code, broadcastOf(ip.address, netmask));
  if (time_servers.length > 0) options.set(...option(ntpServers, time_servers));
  if (site.logServers.length > 0) options.set(...option(logServers, site.logServers));
  if (domain_name !== '') options.set(...option(domainSearch, [domain_name]));
  return options;
}

/**
 * RFC 3442: a client that asks for option 121 and gets it ignores option 3, and the server leaves that out. The gateway would be lost:
 * it becomes the default route, unless the record has one.
 */
function takeRoutersIntoRoutes(network: Map<number, Uint8Array>, { ip }: HardwareDhcp): void {
  const raw = network.get(classlessRoutes.code);
  if (raw === undefined) return;
  network.delete(routers.code);
  const isDefault = ({ destination }: { destination: string }) => destination === '0.0.0.0/0';
  const routes = classlessRoutes.decode(raw);
  if (!ip || ip.gateway === '' || routes.some(isDefault)) return;
  const withDefault = [...routes, { destination: '0.0.0.0/0', router: ip.gateway }];
  network.set(...option(classlessRoutes, withDefault));
}

function bootOptions({ boot, request, site }: ReplyContent, asked: Uint8Array): Map<number, Uint8Array> {
  const options = new Map<number, Uint8Array>();
  if (boot) {
    const { client, file } = boot;
    // UEFI takes a reply for HTTP boot only when it carries this; PXE firmware does not need it from a server that gives the address too.
    if (readVendor(request).startsWith('HTTPClient')) options.set(...option(vendorClass, 'HTTPClient'));
    // Discovery control 8: take this boot file, look for no other server.
    options.set(...option(vendorSpecific, new Map([[6, Uint8Array.of(8)]])));
    // iPXE's own way of saying the same: saves its three seconds of waiting for a proxy.
    if (client.kind === 'iPXE') options.set(...option(ipxeOptions, new Map([[176, Uint8Array.of(1)]])));
    if (file !== '' && asked.includes(bootFileName.code)) options.set(...option(bootFileName, file));
    if (file !== '' && asked.includes(tftpServerName.code)) options.set(...option(tftpServerName, site.address));
  }
  const machine = echoed(request, [clientArch.code, clientInterface.code, clientMachineId.code]);
  for (const [code, raw] of machine) options.set(code, raw);
  return options;
}

function readVendor(request: Options): string {
  return request.has(vendorClass.code) ? (readOption(request, vendorClass) ?? '') : '';
}

function broadcastOf(address: string, netmask: string): Uint8Array {
  const mask = ipv4Bytes(netmask);
  return ipv4Bytes(address).map((byte, i) => byte | ~(mask[i] ?? 0));
}
