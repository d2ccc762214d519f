import {
  bootFileName,
  broadcastAddress,
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

type Entry = readonly [number, Uint8Array];

export interface SiteOptions {
  /** Ours: option 54, siaddr. */
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
  /** null: an INFORM, which is about no lease. */
  readonly leaseSeconds: number | null;
  readonly boot?: { readonly client: BootClient; readonly file: string };
}

/** In order of importance: where the client takes a small message only, the end is left out. */
export function replyOptions(content: ReplyContent): Map<number, Uint8Array> {
  const { type, request, site, leaseSeconds } = content;
  const lease: readonly Entry[] =
    leaseSeconds === null
      ? []
      : [
          option(leaseTime, leaseSeconds),
          option(renewalTime, Math.floor(leaseSeconds / 2)),
          option(rebindingTime, Math.floor((leaseSeconds * 7) / 8)),
        ];
  return new Map([
    option(messageType, type),
    option(serverIdentifier, site.address),
    ...lease,
    ...networkOptions(content, wanted(request)),
    ...bootOptions(content, wanted(request)),
    ...echoed(request),
  ]);
}

/** Copied from the request: machine, architecture, interface (RFC 4578 §2), client id (RFC 6842) and the relay's (RFC 3046 §2.2). */
export function echoed(request: Options, codes: readonly number[] = [93, 94, 97, 61, 82]): readonly Entry[] {
  return codes.flatMap((code): readonly Entry[] => {
    const raw = request.get(code);
    return raw === undefined || raw.length === 0 ? [] : [[code, raw]];
  });
}

/** Option 55 chooses; a client without one gets everything. */
function wanted(request: Options): (code: number) => boolean {
  const codes = readOption(request, parameterRequestList);
  return codes === undefined ? () => true : (code) => codes.includes(code);
}

function networkOptions({ record, site }: ReplyContent, isWanted: (code: number) => boolean): readonly Entry[] {
  const { ip, name_servers, time_servers, hostname, domain_name } = record;
  const dns = name_servers.length > 0 ? name_servers : site.nameServers;
  const netmask = ip?.netmask ?? '';
  const candidates: readonly (Entry | undefined)[] = [
    // Before option 3 (RFC 2132 §3.3), and always: without it a client falls back to address classes.
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
  return candidates
    .filter((entry) => entry !== undefined)
    .filter(([code]) => code === subnetMask.code || isWanted(code));
}

function bootOptions({ boot, request, site }: ReplyContent, isWanted: (code: number) => boolean): readonly Entry[] {
  if (!boot) return [];
  const { client, file } = boot;
  const isExplicit = request.has(parameterRequestList.code);
  return [
    // UEFI takes a reply for HTTP boot only when it carries this; PXE firmware does not need it from a server that gives the address too.
    ...(readVendor(request).startsWith('HTTPClient') ? [option(vendorClass, 'HTTPClient')] : []),
    // Discovery control 8: take this boot file, look for no other server.
    option(vendorSpecific, new Map([[6, Uint8Array.of(8)]])),
    // iPXE's own way of saying the same: saves its three seconds of waiting for a proxy.
    ...(client.kind === 'iPXE' ? [option(ipxeOptions, new Map([[176, Uint8Array.of(1)]]))] : []),
    ...(file !== '' && isExplicit && isWanted(bootFileName.code) ? [option(bootFileName, file)] : []),
    ...(file !== '' && isExplicit && isWanted(tftpServerName.code) ? [option(tftpServerName, site.address)] : []),
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
