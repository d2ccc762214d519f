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
  MalformedOptionError,
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
  setOption,
  subnetMask,
  tftpServerName,
  vendorClass,
  vendorSpecific,
} from '@tinkerbell/dhcp';
import type { HardwareDhcp } from '@tinkerbell/events';
import type { BootClient } from './boot-client';
import { ipv4Only } from './ipv4-only';
import { raspberryMenu } from './raspberry-pi';
import { recordOptions } from './record-options';

const nothing = new Uint8Array();
/** Discovery control 8: take this boot file, look for no other server. */
export const takeThis: ReadonlyMap<number, Uint8Array> = new Map([[6, Uint8Array.of(8)]]);
const ofClient = [clientIdentifier.code];
const ofRelay = [relayAgent.code];
const ofMachine = [clientArch.code, clientInterface.code, clientMachineId.code];

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
  readonly boot?: { readonly client: BootClient; readonly file: string } | undefined;
}

/**
 * In order of importance: where the client takes a small message only, the end is left out. First what RFC 2131 demands, then what the
 * client asked for in its own order (RFC 2132 §9.8), then what firmware and the record want beyond that, at last what the relay added.
 */
export function replyOptions(content: ReplyContent): Map<number, Uint8Array> {
  const { request, record, site } = content;
  const { own, network: usual, routed } = optionsOf(record, site);
  // Its bytes are the codes.
  const asked = request.get(parameterRequestList.code);
  const network = !asked ? usual : asked.includes(classlessRoutes.code) ? withoutRouters(routed) : routed;
  const boot = bootOptions(content, own, asked ?? nothing);
  const all = leaseOptions(content);
  const put = (code: number, raw: Uint8Array | undefined) => raw !== undefined && all.set(code, raw);
  // Before option 3 (RFC 2132 §3.3), and always: without it a client falls back to address classes.
  put(subnetMask.code, network.get(subnetMask.code));
  for (const code of asked ?? network.keys()) put(code, network.get(code) ?? boot.get(code));
  for (const [code, raw] of boot) put(code, raw);
  echo(request, ofClient, all);
  for (const code of own.keys()) put(code, network.get(code));
  echo(request, ofRelay, all);
  return all;
}

interface RecordOptions {
  readonly site: SiteOptions;
  /** What the record sets by number. */
  readonly own: Options;
  /** With that, which goes before what follows from the record's fields. */
  readonly network: Options;
  /** With the gateway as one of the classless routes too, if there are any. */
  readonly routed: Options;
}

/** A record is asked for again and again, as long as it is not changed. */
const known = new WeakMap<HardwareDhcp, RecordOptions>();

function optionsOf(record: HardwareDhcp, site: SiteOptions): RecordOptions {
  const before = known.get(record);
  if (before?.site === site) return before;
  const own = recordOptions(record.options);
  const network = networkOptions(record, site);
  for (const [code, raw] of own) network.set(code, raw);
  const options = { site, own, network, routed: withDefaultRoute(network) };
  known.set(record, options);
  return options;
}

/** Copied from the request as it came: 61 (RFC 6842), 82 (RFC 3046 §2.2), 93, 94 and 97 (RFC 4578 §2). */
export function echo(request: Options, codes: readonly number[], into: Map<number, Uint8Array>): void {
  for (const code of codes) {
    const raw = request.get(code);
    if (raw !== undefined && raw.length > 0) into.set(code, raw);
  }
}

function leaseOptions({ type, serverId, leaseSeconds }: ReplyContent): Map<number, Uint8Array> {
  const options = new Map<number, Uint8Array>();
  setOption(options, messageType, type);
  if (lastServer.id !== serverId) lastServer = { id: serverId, raw: serverIdentifier.encode(serverId) };
  options.set(serverIdentifier.code, lastServer.raw);
  if (leaseSeconds === null) return options;
  const { lease, renewal, rebinding } = timesOf(leaseSeconds);
  options.set(leaseTime.code, lease);
  options.set(renewalTime.code, renewal);
  options.set(rebindingTime.code, rebinding);
  return options;
}

/** Most replies say the same of these: what is written once need not be collected thousands of times a second. */
let lastServer: { readonly id: string; readonly raw: Uint8Array } = { id: '', raw: nothing };
let lastTimes: LeaseTimes = { leaseSeconds: NaN, lease: nothing, renewal: nothing, rebinding: nothing };

interface LeaseTimes {
  readonly leaseSeconds: number;
  readonly lease: Uint8Array;
  readonly renewal: Uint8Array;
  readonly rebinding: Uint8Array;
}

function timesOf(leaseSeconds: number): LeaseTimes {
  if (leaseSeconds !== lastTimes.leaseSeconds) {
    lastTimes = {
      leaseSeconds,
      lease: leaseTime.encode(leaseSeconds),
      renewal: renewalTime.encode(Math.floor(leaseSeconds / 2)),
      rebinding: rebindingTime.encode(Math.floor((leaseSeconds * 7) / 8)),
    };
  }
  return lastTimes;
}

function networkOptions(record: HardwareDhcp, site: SiteOptions): Map<number, Uint8Array> {
  const { ip, hostname, domain_name } = record;
  const named = ipv4Only(record.name_servers);
  const dns = named.length > 0 ? named : site.nameServers;
  const clocks = ipv4Only(record.time_servers);
  const netmask = ip?.netmask ?? '';
  const options = new Map<number, Uint8Array>();
  if (netmask !== '') setOption(options, subnetMask, netmask);
  if (ip && ip.gateway !== '') setOption(options, routers, [ip.gateway]);
  if (dns.length > 0) setOption(options, dnsServers, dns);
  if (hostname !== '') setOption(options, hostName, hostname);
  if (domain_name !== '') setOption(options, domainName, domain_name);
  if (ip && netmask !== '') options.set(broadcastAddress.code, broadcastOf(ip.address, netmask));
  if (clocks.length > 0) setOption(options, ntpServers, clocks);
  if (site.logServers.length > 0) setOption(options, logServers, site.logServers);
  if (domain_name !== '') setOption(options, domainSearch, [domain_name]);
  return options;
}

/**
 * RFC 3442: who knows option 121 ignores option 3; busybox also where it did not ask for 121. The gateway would be lost: it becomes the default
 * route, unless there is one.
 */
function withDefaultRoute(usual: Options): Options {
  if (!usual.has(classlessRoutes.code)) return usual;
  try {
    const routes = readOption(usual, classlessRoutes) ?? [];
    const [router] = readOption(usual, routers) ?? [];
    if (router === undefined || routes.some(({ destination }) => destination === '0.0.0.0/0')) return usual;
    return new Map(usual).set(...option(classlessRoutes, [...routes, { destination: '0.0.0.0/0', router }]));
  } catch (error) {
    // What was set as bytes goes out as it is.
    if (error instanceof MalformedOptionError) return usual;
    throw error;
  }
}

/** To a client that asks for option 121 and gets it, option 3 is not sent (RFC 3442). */
function withoutRouters(usual: Options): Options {
  if (!usual.has(classlessRoutes.code)) return usual;
  const network = new Map(usual);
  network.delete(routers.code);
  return network;
}

function bootOptions({ boot, request, site }: ReplyContent, own: Options, asked: Uint8Array): Map<number, Uint8Array> {
  const options = new Map<number, Uint8Array>();
  const isNamed = boot !== undefined || own.has(bootFileName.code);
  // UEFI takes a reply for HTTP boot only when it carries this; PXE firmware does not need it from a server that gives the address too.
  if (isNamed && readVendor(request).startsWith('HTTPClient')) setOption(options, vendorClass, 'HTTPClient');
  if (boot) {
    const { client, file } = boot;
    // Theirs: so has the reply in their documentation.
    if (client.isRaspberryPi) setOption(options, vendorClass, 'PXEClient');
    setOption(options, vendorSpecific, client.isRaspberryPi ? raspberryMenu : takeThis);
    // iPXE's own way of saying the same: saves its three seconds of waiting for a proxy.
    if (client.kind === 'iPXE') setOption(options, ipxeOptions, new Map([[176, Uint8Array.of(1)]]));
    if (file !== '' && asked.includes(bootFileName.code)) setOption(options, bootFileName, file);
    if (file !== '' && asked.includes(tftpServerName.code)) setOption(options, tftpServerName, site.address);
  }
  echo(request, ofMachine, options);
  return options;
}

function readVendor(request: Options): string {
  return request.has(vendorClass.code) ? (readOption(request, vendorClass) ?? '') : '';
}

function broadcastOf(address: string, netmask: string): Uint8Array {
  const mask = ipv4Bytes(netmask);
  return ipv4Bytes(address).map((byte, i) => byte | ~(mask[i] ?? 0));
}
