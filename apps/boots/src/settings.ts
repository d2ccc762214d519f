import { isIPv4 } from 'node:net';
import { defaultLimits } from '@tinkerbell/tftp';
import type { BootsConfig } from './boots.config';
import type { DhcpPorts } from './dhcp/dhcp.listener';
import { type DhcpMode, mayProxy, modeAt, type ModeRules, type Subnet } from './dhcp/dhcp-mode';
import type { DhcpServerSettings } from './dhcp/decision';
import type { SubnetFile } from './dhcp/read-subnets';
import type { ScriptSettings } from './ipxe/script-desk';
import type { TftpPorts } from './tftp/tftp.listener';
import { readPortRange } from './port-range';
import type { NativeBatch } from './udp/native-batch';

/** RFC 5426 §3.3. */
const syslogPort = 514;

/** Really bound. */
export interface BoundPorts {
  readonly tftp: number;
  readonly http: number;
  readonly syslog: number | undefined;
}

export function dhcpSettings(
  config: BootsConfig,
  { tftp, http, syslog }: BoundPorts,
  modes: ModeRules,
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
  };
}

/** The option has no place for a port. */
function logServersOf({ PUBLIC_SYSLOG_IP, PUBLIC_IP }: BootsConfig, port: number | undefined): readonly string[] {
  if (PUBLIC_SYSLOG_IP !== '') return list(PUBLIC_SYSLOG_IP);
  return port === syslogPort ? [PUBLIC_IP] : [];
}

/** `file`: what BOOTS_DHCP_FILE says. */
export function dhcpModes(
  { BOOTS_DHCP, BOOTS_DHCP_MODE, BOOTS_DHCP_SUBNETS }: BootsConfig,
  file: SubnetFile = { classes: [], subnets: [] },
): ModeRules {
  if (!BOOTS_DHCP) return { mode: 'off', subnets: [] };
  const subnets = list(BOOTS_DHCP_SUBNETS).map((text): Subnet => {
    const [network = '', mode = ''] = text.split('=');
    const [address = '', prefix = ''] = network.split('/');
    return { name: network, address, prefix: Number(prefix), mode: mode as DhcpMode };
  });
  const { classes } = file;
  return { mode: BOOTS_DHCP_MODE, subnets: [...subnets, ...file.subnets], ...(classes.length > 0 ? { classes } : {}) };
}

/** Of the network that an address is in. */
export function modeOf(config: BootsConfig, modes: ModeRules, address: string): DhcpMode {
  return modeAt(isIPv4(address) ? address : config.PUBLIC_IP, modes);
}

export function scriptSettings(config: BootsConfig, httpPort: number, modes: ModeRules): ScriptSettings {
  const { PUBLIC_IP, TINK_SERVER_URL, TINK_CERT_URL } = config;
  return {
    bootsUrl: httpUrl(PUBLIC_IP, httpPort),
    tinkServerUrl: TINK_SERVER_URL === '' ? `https://${PUBLIC_IP}:42124` : TINK_SERVER_URL,
    certUrl: TINK_CERT_URL === '' ? `http://${PUBLIC_IP}:42114/cert` : TINK_CERT_URL,
    caSha256: config.TINK_CA_SHA256,
    extraArguments: config.BOOTS_KERNEL_ARGUMENTS.split(/\s+/).filter((argument) => argument !== ''),
    tokenSeconds: config.BOOTS_TOKEN_SECONDS,
    needsTicket: (address) => config.BOOTS_SCRIPT_TICKETS && modeOf(config, modes, address) !== 'off',
    discovery: config.BOOTS_DISCOVERY,
  };
}

export function dhcpPorts(config: BootsConfig, modes: ModeRules): DhcpPorts {
  return {
    address: config.PUBLIC_IP,
    serverPort: config.BOOTS_DHCP_PORT,
    clientPort: config.BOOTS_DHCP_CLIENT_PORT,
    relayPort: config.BOOTS_DHCP_RELAY_PORT,
    pxePort: mayProxy(modes) ? config.BOOTS_DHCP_PXE_PORT : undefined,
  };
}

/** `native`: undefined where packets go one by one. */
export function tftpPorts(config: BootsConfig, native: NativeBatch | undefined): TftpPorts {
  return {
    address: config.PUBLIC_IP,
    port: config.BOOTS_TFTP_PORT,
    singlePort: config.BOOTS_TFTP_SINGLE_PORT,
    transferPorts: readPortRange(config.BOOTS_TFTP_PORT_RANGE) ?? [0, 0, 0, 0],
    maxTransfers: config.BOOTS_TFTP_MAX_TRANSFERS,
    native,
    limits: { ...defaultLimits, maxBlockSize: config.BOOTS_TFTP_MAX_BLOCK_SIZE },
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
