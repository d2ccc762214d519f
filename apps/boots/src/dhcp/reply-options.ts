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
  const network = new Map([...networkOptions(content), ...own]);
  const asked = readOption(request, parameterRequestList);
  if (asked?.includes(classlessRoutes.code)) takeRoutersIntoRoutes(network, record);
  const boot = new Map(bootOptions(content, asked ?? []));
  return new Map([
    ...leaseOptions(content),
    // Before option 3 (RFC 2132 §3.3), and always: without it a client falls back to address classes.
    ...pick(network, [subnetMask.code]),
    ...pick(new Map([...boot, ...network]), asked ?? [...network.keys()]),
    ...boot,
    ...echoed(request, [clientIdentifier.code]),
    ...pick(network, [...own.keys()]),
    ...echoed(request, [relayAgent.code]),
  ]);
}

/** Copied from the request as it came: 61 (RFC 6842), 82 (RFC 3046 §2.2), 93, 94 and 97 (RFC 4578 §2). */
export function echoed(request: Options, codes: readonly number[]): readonly Entry[] {
  return pick(request, codes).filter(([, raw]) => raw.length > 0);
}

function pick(options: Options, codes: readonly number[]): readonly Entry[] {
  return codes.flatMap((code): readonly Entry[] => {
    const raw = options.get(code);
    return raw === undefined ? [] : [[code, raw]];
  });
}

function leaseOptions({ type, serverId, leaseSeconds }: ReplyContent): readonly Entry[] {
  const head = [option(messageType, type), option(serverIdentifier, serverId)];
  if (leaseSeconds === null) return head;
  return [
    ...head,
    option(leaseTime, leaseSeconds),
    option(renewalTime, Math.floor(leaseSeconds / 2)),
    option(rebindingTime, Math.floor((leaseSeconds * 7) / 8)),
  ];
}

function networkOptions({ record, site }: ReplyContent): readonly Entry[] {
  const { ip, name_servers, time_servers, hostname, domain_name } = record;
  const dns = name_servers.length > 0 ? name_servers : site.nameServers;
  const netmask = ip?.netmask ?? '';
  const candidates: readonly (Entry | undefined)[] = [
    netmask === '' ? undefined : option(subnetMask, netmask),
    ip && ip.gateway !== '' ? option(routers, [ip.gateway]) : undefined,
    dns.length > 0 ? option(dnsServers, dns) : undefined,
    hostname === '' ? undefined : option(hostName, hostname),
    domain_name === '' ? undefined : option(domainName, domain_name),
    ip && netmask !== '' ? option(broadcastAddress, broadcastOf(ip.address, netmask)) : undefined,
    time_servers.length > 0 ? option(ntpServers, time_servers) : undefined,
    site.logServers.length > 0 ? option(logServers, site.logServers) : undefined,
    domain_name === '' ? undefined : option(domainSearch, [domain_name]),
  ];
  return candidates.filter((entry) => entry !== undefined);
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

function bootOptions({ boot, request, site }: ReplyContent, asked: readonly number[]): readonly Entry[] {
  const machine = echoed(request, [clientArch.code, clientInterface.code, clientMachineId.code]);
  if (!boot) return machine;
  const { client, file } = boot;
  return [
    // UEFI takes a reply for HTTP boot only when it carries this; PXE firmware does not need it from a server that gives the address too.
    ...(readVendor(request).startsWith('HTTPClient') ? [option(vendorClass, 'HTTPClient')] : []),
    // Discovery control 8: take this boot file, look for no other server.
    option(vendorSpecific, new Map([[6, Uint8Array.of(8)]])),
    // iPXE's own way of saying the same: saves its three seconds of waiting for a proxy.
    ...(client.kind === 'iPXE' ? [option(ipxeOptions, new Map([[176, Uint8Array.of(1)]]))] : []),
    ...(file !== '' && asked.includes(bootFileName.code) ? [option(bootFileName, file)] : []),
    ...(file !== '' && asked.includes(tftpServerName.code) ? [option(tftpServerName, site.address)] : []),
    ...machine,
  ];
}

function readVendor(request: Options): string {
  return request.has(vendorClass.code) ? (readOption(request, vendorClass) ?? '') : '';
}

function broadcastOf(address: string, netmask: string): string {
  const mask = ipv4Bytes(netmask);
  return ipv4Bytes(address)
    .map((byte, i) => byte | (~(mask[i] ?? 0) & 0xff))
    .join('.');
}
