import { networkInterfaces } from 'node:os';
import { resolve } from 'node:path';
import { parseArgs, type ParseArgsConfig } from 'node:util';
import { loadConfig } from '@tinkerbell/config';
import { TinkerbellConfig } from './tinkerbell.config';

export class UsageError extends Error {}

/** Setting → what `--help` says of it. */
const help: Readonly<Record<keyof TinkerbellConfig, string>> = {
  DATA: 'folder with everything that has to survive',
  IP: "address that machines reach this provisioner at (default this host's only one)",
  IP6: 'the same by IPv6: boots answers DHCPv6, and what machines need listens there too',
  INTERFACE: 'network interface to send router advertisements on',
  ROUTER_ADVERTISEMENTS: 'send empty IPv6 router advertisements: old iPXE waits 13 s without them',
  POOL: 'name of the lease pool',
  DHCP: 'answer DHCP (--no-dhcp: another server does)',
  DHCP_PORT: 'DHCP, UDP',
  TFTP_PORT: 'TFTP, UDP',
  HTTP_PORT: 'boot scripts, OSIE and images, HTTP',
  HTTPS_BOOT: 'the same by HTTPS too, for UEFI HTTP boot of machines that trust DATA/pki/boot/ca.crt',
  HTTPS_PORT: 'boot files, HTTPS, with --https-boot',
  HEGEL_PORT: 'metadata, HTTP',
  SERVER_HTTP_PORT: 'certificate, health, REST',
  SERVER_HTTPS_PORT: 'REST and enrolment, HTTPS',
  GRPC_HOST: 'address of the gRPC API',
  GRPC_PORT: 'gRPC, TLS',
  DASHBOARD_HOST: 'address of the dashboard',
  DASHBOARD_PORT: 'dashboard, HTTP',
  NATS_PORT: 'NATS, TLS',
  REGISTRY_PORT: 'image registry, HTTPS',
  OSIE_DIR: 'kernel and initramfs of the in-memory OS',
  IPXE_DIR: 'folders of network boot programs, separated by colons',
  IMAGES_DIR: 'disk images, served at /images/',
  ACTIONS_DIR: 'action images, pushed to the registry at start',
  ALLOW_LAZY_SYNC: 'accept a nats-server that does not write every event through to the disk (laboratories only)',
  JSON: 'print the ready message as one line of JSON',
  DEBUG: 'log every request',
};

/** What setup makes: in the repository, wherever `tink up` is typed. */
const builtFolders = ['OSIE_DIR', 'IPXE_DIR', 'IMAGES_DIR', 'ACTIONS_DIR'] as const;

const flagOf = (key: string) => key.toLowerCase().replaceAll('_', '-');
const keys = Object.keys(help) as readonly (keyof TinkerbellConfig)[];
const defaults = new TinkerbellConfig();

export function usage(): string {
  const rows = keys.map((key) => {
    const value = defaults[key];
    const flag =
      typeof value === 'boolean' ? `--${flagOf(key)}` : `--${flagOf(key)} ${key.endsWith('PORT') ? 'PORT' : 'VALUE'}`;
    const note = value === undefined || value === '' || value === false ? '' : ` (default ${String(value)})`;
    return `  ${flag.padEnd(30)} ${help[key]}${note}`;
  });
  return [
    'tinkerbell up: the whole provisioner in one process, with an embedded nats-server and an image registry.',
    '',
    'Usage: tinkerbell up [flags]      every flag is also an environment variable: --http-port is TINKERBELL_HTTP_PORT',
    '',
    ...rows,
    '',
    'Folders in .cache are those of the repository, whatever the working directory is.',
    'The services read their other settings from the environment by their own names, such as BOOTS_DHCP_FILE (address pools),',
    'BOOTS_DHCP_MODE, BOOTS_DISCOVERY, DNS_SERVERS, DASHBOARD_USERNAME and DASHBOARD_PASSWORD: docs/settings.md has them all.',
  ].join('\n');
}

/** Flags over environment over defaults. `repository`: where the folders of the defaults lie. Throws UsageError or ConfigError. */
export function readOptions(
  args: readonly string[],
  env: NodeJS.ProcessEnv,
  repository = process.cwd(),
): Readonly<TinkerbellConfig> | 'help' {
  const options: NonNullable<ParseArgsConfig['options']> = { help: { type: 'boolean', short: 'h' } };
  for (const key of keys) options[flagOf(key)] = { type: typeof defaults[key] === 'boolean' ? 'boolean' : 'string' };
  const values = parse(args, options);
  if (values['help']) return 'help';
  const source: Record<string, unknown> = {};
  for (const key of keys) source[key] = values[flagOf(key)] ?? env[`TINKERBELL_${key}`];
  for (const key of builtFolders) {
    const usual = defaults[key].split(':').map((folder) => resolve(repository, folder));
    source[key] ??= usual.join(':');
  }
  const config = loadConfig(TinkerbellConfig, source);
  if (config.ROUTER_ADVERTISEMENTS && config.INTERFACE === '') {
    throw new UsageError('--router-advertisements needs to know where to send them: add --interface NAME.');
  }
  return config;
}

function parse(args: readonly string[], options: NonNullable<ParseArgsConfig['options']>) {
  try {
    return parseArgs({ args: [...args], options, allowNegative: true }).values;
  } catch (error) {
    throw new UsageError(`${(error as Error).message}\nSee tinkerbell up --help.`, { cause: error });
  }
}

export const loopback = '127.0.0.1';
export const loopbackWarning = `this host has no address but ${loopback}, which no machine reaches: give one with --ip`;

/** The address to announce when none was given: this host's only one. */
export function onlyAddress(interfaces = networkInterfaces()): string {
  const found = Object.entries(interfaces).flatMap(([name, addresses = []]) =>
    addresses
      .filter(({ family, internal }) => family === 'IPv4' && !internal)
      .map(({ address }) => ({ name, address })),
  );
  const [first, ...others] = found;
  if (first && others.length === 0) return first.address;
  if (!first) return loopback;
  const list = found.map(({ name, address }) => `  --ip ${address}   (${name})`).join('\n');
  throw new UsageError(`This host has several addresses. Say which one machines reach it at:\n${list}`);
}
