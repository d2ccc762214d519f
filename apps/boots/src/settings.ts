import { isIPv4, isIPv6 } from 'node:net';
import { networkInterfaces } from 'node:os';
import { parseIp } from '@tinkerbell/bytes';
import { defaultLimits } from '@tinkerbell/tftp';
import type { BootsConfig } from './boots.config';
import type { DhcpPorts } from './dhcp/dhcp.listener';
import { type DhcpMode, discoversAt, isGiver, modeAt, type ModeRules, type Subnet } from './dhcp/dhcp-mode';
import type { DhcpServerSettings } from './dhcp/decision';
import type { SubnetFile } from './dhcp/read-subnets';
import type { Dhcp6Settings } from './dhcp6/decision6';
import type { Dhcp6Ports } from './dhcp6/dhcp6.listener';
import { addressText, parseSubnets6, type Subnet6 } from './dhcp6/subnet6';
import type { CacheSettings } from './files/image-cache';
import type { Limits } from './http/connection-limits';
import type { ScriptSettings } from './ipxe/script-desk';
import type { TftpPorts } from './tftp/tftp.listener';
import { readPortRange } from './port-range';
import { ownAddresses, ownAddressFor } from './own-addresses';
import type { NativeBatch } from './udp/native-batch';

/** RFC 5426 §3.3. */
const syslogPort = 514;

/** Really bound. */
export interface BoundPorts {
  readonly tftp: number;
  readonly http: number;
  readonly https: number | undefined;
  readonly syslog: number | undefined;
}

export function dhcpSettings(
  config: BootsConfig,
  { tftp, http, https, syslog }: BoundPorts,
  modes: ModeRules = dhcpModes(config),
): DhcpServerSettings {
  const { PUBLIC_IP, DHCP_LEASE_TIME, BOOTS_MAC_FORMAT } = config;
  return {
    site: {
      address: PUBLIC_IP,
      nameServers: list(config.DNS_SERVERS),
      logServers: logServersOf(config, syslog),
    },
    urls: {
      tftp: `${PUBLIC_IP}:${tftp}`,
      http: httpUrl(PUBLIC_IP, http),
      https: https === undefined ? undefined : https === 443 ? `https://${PUBLIC_IP}` : `https://${PUBLIC_IP}:${https}`,
      macFormat: BOOTS_MAC_FORMAT,
      binaries: Object.fromEntries(
        list(config.BOOTS_ARCH_BINARIES).map((pair) => {
          const [arch = '', name = ''] = pair.split('=');
          return [Number(arch), name];
        }),
      ),
    },
    leaseSeconds: DHCP_LEASE_TIME,
    modes,
    ticketSeconds: config.BOOTS_SCRIPT_TICKETS ? config.BOOTS_TOKEN_SECONDS : 0,
    bootp: config.BOOTS_BOOTP,
  };
}

/** Those of the settings and of BOOTS_DHCP_FILE. */
export function subnets6(config: BootsConfig, file: readonly Subnet6[] = []): readonly Subnet6[] {
  const named = parseSubnets6(config.BOOTS_DHCP6_SUBNETS);
  if (typeof named === 'string') throw new TypeError(`BOOTS_DHCP6_SUBNETS: ${named}`);
  const subnets = [...named, ...file];
  const isSame = (a: Subnet6, b: Subnet6) => a.prefix === b.prefix && a.length === b.length;
  const twice = subnets.find((subnet, i) => subnets.findIndex((other) => isSame(subnet, other)) !== i);
  if (!twice) return subnets;
  throw new TypeError(
    `BOOTS_DHCP6_SUBNETS, BOOTS_DHCP_FILE: ${addressText(twice.prefix)}/${twice.length} is there twice`,
  );
}

export function dhcp6Settings(
  config: BootsConfig,
  bound: BoundPorts,
  subnets: readonly Subnet6[] = subnets6(config),
  classes: SubnetFile['classes'] = [],
): Dhcp6Settings {
  const { PUBLIC_IP6, DHCP_LEASE_TIME, BOOTS_DHCP6_PREFERENCE, BOOTS_DHCP6_QUARANTINE } = config;
  const nameServers = list(config.DNS6_SERVERS).map((text) => {
    const ip = parseIp(text);
    if (ip?.family === 6) return ip.address;
    throw new TypeError(`DNS6_SERVERS: ${JSON.stringify(text)} is not an IPv6 address`);
  });
  return {
    address: parseIp(PUBLIC_IP6)?.address ?? PUBLIC_IP6,
    nameServers,
    urls: {
      ...dhcpSettings(config, bound).urls,
      // UEFI 2.10 §24.3.1 knows no port in a TFTP URL: `[address]/file`, so it is left out where it can be.
      tftp: bound.tftp === 69 ? `[${PUBLIC_IP6}]` : `[${PUBLIC_IP6}]:${bound.tftp}`,
      http: httpUrl(`[${PUBLIC_IP6}]`, bound.http),
      https: undefined,
    },
    leaseSeconds: DHCP_LEASE_TIME,
    preference: BOOTS_DHCP6_PREFERENCE,
    quarantineSeconds: BOOTS_DHCP6_QUARANTINE,
    ticketSeconds: dhcpSettings(config, bound).ticketSeconds,
    subnets,
    classes,
  };
}

/** Throws TypeError when the interface is left to us, and there is no address to know it by. */
export function dhcp6Ports({ BOOTS_DHCP6_INTERFACES, PUBLIC_IP6, ...config }: BootsConfig): Dhcp6Ports {
  const ports = {
    port: config.BOOTS_DHCP6_PORT,
    clientPort: config.BOOTS_DHCP6_CLIENT_PORT,
    relayPort: config.BOOTS_DHCP6_RELAY_PORT,
  };
  const named = list(BOOTS_DHCP6_INTERFACES);
  if (named.length > 0) return { ...ports, interfaces: () => named };
  const own = parseIp(PUBLIC_IP6)?.address;
  if (own === undefined)
    throw new TypeError('BOOTS_DHCP6 needs PUBLIC_IP6, the address that machines reach this service at');
  const interfaces = () =>
    Object.entries(networkInterfaces())
      .filter(([, addresses]) => addresses?.some(({ address }) => parseIp(address)?.address === own))
      .map(([name]) => name);
  return { ...ports, interfaces };
}

/** The option has no place for a port. */
function logServersOf({ PUBLIC_SYSLOG_IP, PUBLIC_IP }: BootsConfig, port: number | undefined): readonly string[] {
  if (PUBLIC_SYSLOG_IP !== '') return list(PUBLIC_SYSLOG_IP);
  return port === syslogPort ? [PUBLIC_IP] : [];
}

/** `file`: what BOOTS_DHCP_FILE says. */
export function dhcpModes(
  { BOOTS_DHCP, BOOTS_DHCP_MODE, BOOTS_DHCP_SUBNETS, BOOTS_DISCOVERY: discovery }: BootsConfig,
  file: Pick<SubnetFile, 'classes' | 'subnets'> = { classes: [], subnets: [] },
): ModeRules {
  if (!BOOTS_DHCP) return { mode: 'off', subnets: [], discovery };
  const subnets = list(BOOTS_DHCP_SUBNETS).map((text): Subnet => {
    const [network = '', mode = ''] = text.split('=');
    const [address = '', prefix = ''] = network.split('/');
    return { name: network, address, prefix: Number(prefix), mode: mode as DhcpMode };
  });
  const { classes } = file;
  return {
    ...{ mode: BOOTS_DHCP_MODE, subnets: [...subnets, ...file.subnets], discovery },
    ...(classes.length > 0 ? { classes } : {}),
  };
}

/** Beside a proxy another server is as it should be; other ports than those of DHCP are for laboratories. */
export function asksForServers({ BOOTS_DHCP_ASK, BOOTS_DHCP_PORT, PUBLIC_IP }: BootsConfig, modes: ModeRules): boolean {
  return BOOTS_DHCP_ASK && BOOTS_DHCP_PORT === 67 && isGiver(modeAt(PUBLIC_IP, modes));
}

/** Of the network that an address is in. */
export function modeOf(config: BootsConfig, modes: ModeRules, address: string): DhcpMode {
  if (isIPv6(address)) return config.BOOTS_DHCP6 ? 'reservation' : 'off';
  return modeAt(isIPv4(address) ? address : config.PUBLIC_IP, modes);
}

/** `address`: of the machine; it is told URLs of its own family. */
export function scriptSettings(
  config: BootsConfig,
  { http, syslog }: Pick<BoundPorts, 'http' | 'syslog'>,
  address: string,
  modes: ModeRules,
): ScriptSettings {
  const { PUBLIC_IP, PUBLIC_IP6 } = config;
  const by6 = isIPv6(address) && PUBLIC_IP6 !== '';
  const host = by6 ? `[${PUBLIC_IP6}]` : PUBLIC_IP;
  const near = by6 ? host : ownAddressFor(address, ownAddresses(config), networkInterfaces());
  const serverUrl = (by6 && config.TINK_SERVER_URL6) || config.TINK_SERVER_URL;
  const certUrl = (by6 && config.TINK_CERT_URL6) || config.TINK_CERT_URL;
  return {
    bootsUrl: httpUrl(near, http),
    logServer: logServerFor(config, near, syslog),
    isIpv6: by6,
    tinkServerUrl: serverUrl || `https://${host}:42124`,
    certUrl: certUrl || `http://${host}:42114/cert`,
    caSha256: config.TINK_CA_SHA256,
    extraArguments: config.BOOTS_KERNEL_ARGUMENTS.split(/\s+/).filter((argument) => argument !== ''),
    tokenSeconds: config.BOOTS_TOKEN_SECONDS,
    needsTicket: (address) => config.BOOTS_SCRIPT_TICKETS && modeOf(config, modes, address) !== 'off',
    discovery: discoversAt(isIPv4(address) ? address : config.PUBLIC_IP, modes),
    hasDhcp: (address) => modeOf(config, modes, address) !== 'off',
  };
}

/** With its port where that is not the usual one; '': none. An IPv6 address is in brackets, and the site's own servers are IPv4. */
function logServerFor({ PUBLIC_SYSLOG_IP }: BootsConfig, near: string, port: number | undefined): string {
  const [sites] = near.startsWith('[') ? [] : list(PUBLIC_SYSLOG_IP);
  if (sites !== undefined) return sites;
  if (port === undefined) return '';
  return port === syslogPort ? near : `${near}:${port}`;
}

/** `native`: undefined where messages are taken one by one. */
export function dhcpPorts(config: BootsConfig, native: NativeBatch | undefined, isAlone = true): DhcpPorts {
  return {
    address: config.PUBLIC_IP,
    serverPort: config.BOOTS_DHCP_PORT,
    clientPort: config.BOOTS_DHCP_CLIENT_PORT,
    relayPort: config.BOOTS_DHCP_RELAY_PORT,
    pxePort: config.BOOTS_DHCP_PXE_PORT,
    isAlone,
    native,
  };
}

/** An origin that is quiet for so long has given up. */
const stallMs = 30_000;

export function cacheSettings(config: BootsConfig): CacheSettings {
  const origins = list(config.BOOTS_CACHE_ORIGINS).map((url) => new URL(url).href);
  return { folder: config.BOOTS_CACHE_DIR, origins, bytes: config.BOOTS_CACHE_BYTES, stallMs };
}

export function httpLimits(config: BootsConfig): Limits {
  const { BOOTS_HTTP_MAX_CONNECTIONS, BOOTS_HTTP_MAX_PER_CLIENT, BOOTS_HTTP_IDLE_SECONDS } = config;
  return {
    total: BOOTS_HTTP_MAX_CONNECTIONS,
    each: BOOTS_HTTP_MAX_PER_CLIENT,
    idleMs: BOOTS_HTTP_IDLE_SECONDS * 1000,
  };
}

/** Bytes that the header of IPv6 has more than that of IPv4 (RFC 8200 §3). */
const longerHeader = 20;

/** Beside the IPv4 one, at the same port. */
export function tftp6Ports(config: BootsConfig, port: number): TftpPorts {
  const { limits, ...ports } = tftpPorts(config, undefined);
  const maxBlockSize = Math.max(512, limits.maxBlockSize - longerHeader);
  return { ...ports, address: config.PUBLIC_IP6, port, limits: { ...limits, maxBlockSize } };
}

/** `native`: undefined where packets go one by one. */
export function tftpPorts(config: BootsConfig, native: NativeBatch | undefined): TftpPorts {
  return {
    address: config.PUBLIC_IP,
    port: config.BOOTS_TFTP_PORT,
    singlePort: config.BOOTS_TFTP_SINGLE_PORT,
    transferPorts: readPortRange(config.BOOTS_TFTP_PORT_RANGE) ?? [0, 0],
    sessions: { all: config.BOOTS_TFTP_MAX_TRANSFERS, perClient: config.BOOTS_TFTP_MAX_PER_CLIENT },
    native,
    limits: {
      ...defaultLimits,
      maxBlockSize: config.BOOTS_TFTP_MAX_BLOCK_SIZE,
      progressMs: config.BOOTS_TFTP_PROGRESS_SECONDS * 1000,
    },
  };
}

function httpUrl(address: string, port: number): string {
  return port === 80 ? `http://${address}` : `http://${address}:${port}`;
}

function list(text: string): readonly string[] {
  return text
    .split(',')
    .map((part) => part.trim())
    .filter((part) => part !== '');
}
