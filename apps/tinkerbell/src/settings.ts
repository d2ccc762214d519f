import { ArchiveConfig } from '@tinkerbell/archive';
import { BootsConfig, readDhcpFile } from '@tinkerbell/boots';
import { loadConfig } from '@tinkerbell/config';
import { DashboardConfig, listenOn } from '@tinkerbell/dashboard';
import { HegelConfig } from '@tinkerbell/hegel';
import { TinkServerConfig } from '@tinkerbell/tink-server';
import type { TinkerbellConfig } from './tinkerbell.config';

/** What settings of the parts are made from before anything runs. */
export interface Given {
  readonly config: Readonly<TinkerbellConfig>;
  /** That machines reach us at. */
  readonly address: string;
  /** Settings of the parts by their own names; what `tink up` decides itself goes before them. */
  readonly env: Readonly<Record<string, string | undefined>>;
}

type Source = Readonly<Record<string, unknown>>;

/** Stands for the SHA-256 of the authority's certificate, which is made later. */
const notYetMade = '0'.repeat(64);

/** Of every part, as far as they are known before one is started. Throws ConfigError or SettingFileError. */
export async function checkSettings(given: Given): Promise<void> {
  loadConfig(ArchiveConfig, given.env);
  loadConfig(TinkServerConfig, serverSource(given, {}));
  const { BOOTS_DHCP_FILE } = loadConfig(BootsConfig, bootsSource(given, { TINK_CA_SHA256: notYetMade }));
  loadConfig(HegelConfig, hegelSource(given));
  listenOn(loadConfig(DashboardConfig, dashboardSource(given)));
  if (BOOTS_DHCP_FILE !== '') await readDhcpFile(BOOTS_DHCP_FILE);
}

/** To listen on: an IPv6 socket of all addresses takes IPv4 too. */
function everywhere({ IP6 }: TinkerbellConfig): string {
  return IP6 === '' ? '0.0.0.0' : '::';
}

/** `found`: what is known when the parts run that it needs. */
export function serverSource({ config, env }: Given, found: Source): Source {
  return {
    ...env,
    TINK_HOST: everywhere(config),
    TINK_LOG_LEVEL: config.DEBUG ? 'debug' : 'info',
    TINK_GRPC_HOST: config.GRPC_HOST,
    TINK_GRPC_PORT: config.GRPC_PORT,
    TINK_HTTP_PORT: config.SERVER_HTTP_PORT,
    TINK_HTTPS_PORT: config.SERVER_HTTPS_PORT,
    ...found,
  };
}

/** `found`: what is known when tink-server runs. */
export function bootsSource({ config, address, env }: Given, found: Source): Source {
  return {
    ...env,
    PUBLIC_IP: address,
    BOOTS_POOL: config.POOL,
    BOOTS_DHCP: config.DHCP,
    BOOTS_DHCP_PORT: config.DHCP_PORT,
    BOOTS_TFTP_PORT: config.TFTP_PORT,
    BOOTS_HTTP_PORT: config.HTTP_PORT,
    BOOTS_RA_INTERFACE: config.ROUTER_ADVERTISEMENTS ? config.INTERFACE : '',
    BOOTS_IPXE_DIR: config.IPXE_DIR,
    BOOTS_OSIE_DIR: config.OSIE_DIR,
    BOOTS_IMAGES_DIR: config.IMAGES_DIR,
    ...(config.IP6 === '' ? {} : { PUBLIC_IP6: config.IP6, BOOTS_DHCP6: env['BOOTS_DHCP6'] ?? true }),
    ...found,
  };
}

export function hegelSource({ config, env }: Given): Source {
  return { ...env, HEGEL_HTTP_ADDRESS: everywhere(config), HEGEL_HTTP_PORT: config.HEGEL_PORT };
}

export function dashboardSource({ config, env }: Given): Source {
  return { ...env, DASHBOARD_HTTP_ADDRESS: config.DASHBOARD_HOST, DASHBOARD_HTTP_PORT: config.DASHBOARD_PORT };
}
