import { Transform } from 'class-transformer';
import { IsBoolean, IsIn, IsInt, IsIP, IsString, Matches, Max, Min, ValidateBy, ValidateIf } from 'class-validator';
import { usualProgramFolders } from './boot-programs';
import { parseSubnets6 } from './dhcp6/subnet6';
import { readPortRange } from './port-range';

const flag = Transform(({ obj, key }) => {
  const given = (obj as Record<string, unknown>)[key];
  return given === 'true' || given === '1' ? true : given === 'false' || given === '0' ? false : given;
});
const port = 65_535;
const httpUrl = /^$|^https?:\/\/[^\s/]+(?:\/[^\s]*[^\s/])?$/;
const origin = 'https?://[^\\s/,@?#]+/(?:[^\\s,?#]*/)?';
const originList = new RegExp(`^(?:${origin}(?:,${origin})*)?$`);
const byte = '(?:25[0-5]|2[0-4]\\d|1?\\d?\\d)';
const address = `${byte}(?:\\.${byte}){3}`;
const addressList = new RegExp(`^(?:${address}(?: *, *${address})*)?$`);
const subnet = `${address}/(?:3[0-2]|[12]?\\d)=(?:reservation|proxy|auto-proxy|off)`;
const subnetList = new RegExp(`^(?:${subnet}(?:,${subnet})*)?$`);

const must = (text: string) => ({ message: `$property must be ${text}` });
const addresses = must('IPv4 addresses separated by commas, such as 10.2.0.1,10.3.0.1');
const url = must('a URL of http or https without a slash at its end');

const portRange = ValidateBy({
  name: 'portRange',
  validator: {
    validate: (value: unknown) => typeof value === 'string' && (value === '' || readPortRange(value) !== undefined),
    defaultMessage: () => '$property must be a port or a range of at most 64, 4000-4003',
  },
});

const subnets6 = ValidateBy({
  name: 'subnets6',
  validator: {
    validate: (value: unknown) => typeof value === 'string' && typeof parseSubnets6(value) !== 'string',
    defaultMessage: (given) => {
      const fault = typeof given?.value === 'string' ? parseSubnets6(given.value) : 'not text';
      return `$property: ${typeof fault === 'string' ? fault : ''}`;
    },
  },
});

/** Settings of boots; the names that the first boots had are kept. A port of 0 is any free one. */
export class BootsConfig {
  /** The address that machines reach this service at: DHCP server identifier, source of every reply, host of every URL. */
  @IsIP(4)
  readonly PUBLIC_IP: string = '';

  /**
   * `10.2.0.1,10.3.0.1`: addresses of this machine on other wires, each its own interface or VLAN. Machines there are served as those on the wire
   * of PUBLIC_IP, and told that address in its place; what is done on which wire is said by the subnets.
   */
  @Matches(addressList, addresses)
  readonly BOOTS_FURTHER_IPS: string = '';

  /** Answer DHCP; false: another server does all of it. */
  @flag
  @IsBoolean()
  readonly BOOTS_DHCP: boolean = true;
  @IsInt()
  @Min(0)
  @Max(port)
  readonly BOOTS_DHCP_PORT: number = 67;
  /** Where relays and clients take replies; other numbers are for laboratories. */
  @IsInt()
  @Min(1)
  @Max(port)
  readonly BOOTS_DHCP_RELAY_PORT: number = 67;
  @IsInt()
  @Min(1)
  @Max(port)
  readonly BOOTS_DHCP_CLIENT_PORT: number = 68;
  /** Where clients of a proxy ask; firmware knows 4011 only. */
  @IsInt()
  @Min(1)
  @Max(port)
  readonly BOOTS_DHCP_PXE_PORT: number = 4011;
  /**
   * `reservation`: addresses and boot files for machines with a record; `proxy`: boot files only, beside another DHCP server; `auto-proxy`:
   * for machines without a record too; `off`: nothing. Pools are in BOOTS_DHCP_FILE.
   */
  @IsIn(
    ['reservation', 'proxy', 'auto-proxy', 'off'],
    must('reservation, proxy, auto-proxy or off (pools are in BOOTS_DHCP_FILE)'),
  )
  readonly BOOTS_DHCP_MODE: 'reservation' | 'proxy' | 'auto-proxy' | 'off' = 'reservation';
  /** Answer BOOTP clients that have a reservation; addresses of pools they never get. */
  @flag
  @IsBoolean()
  readonly BOOTS_BOOTP: boolean = true;
  /** `10.1.0.0/16=proxy,10.1.2.0/24=off`: other modes for single networks, by relay or client address; the smallest network decides. */
  @Matches(
    subnetList,
    must('networks with a mode (reservation, proxy, auto-proxy, off), such as 10.1.0.0/16=proxy,10.1.2.0/24=off'),
  )
  readonly BOOTS_DHCP_SUBNETS: string = '';
  /** YAML: subnets with pools, their options and client classes, IPv6 ones with what is advertised (docs/dhcp.md); read again when it changes; empty: there are none. */
  @IsString()
  readonly BOOTS_DHCP_FILE: string = '';
  /** Ask at start whether another DHCP server is on the wire, and tell of those that answer; false: only of those that are heard. */
  @flag
  @IsBoolean()
  readonly BOOTS_DHCP_ASK: boolean = true;
  /** Name of the lease pool: several boots with the same one stand by for each other (docs/cluster.md). Not `…-v6`. */
  @Matches(/^(?!.*-v6$)[A-Za-z0-9_-]{1,64}$/, {
    message:
      '$property must be 1 to 64 letters, digits, "_" or "-" and not end in "-v6", the stream of a pool\'s IPv6 leases',
  })
  readonly BOOTS_POOL: string = 'default';
  /** Seconds, for hardware whose lease_time is 0. */
  @IsInt()
  @Min(60)
  @Max(0x7fff_ffff)
  readonly DHCP_LEASE_TIME: number = 172_800;
  /** Comma separated, for hardware without name servers. */
  @Matches(addressList, addresses)
  readonly DNS_SERVERS: string = '';
  /** Option 7; empty: this service, when it takes syslog. */
  @Matches(addressList, addresses)
  readonly PUBLIC_SYSLOG_IP: string = '';
  /** Take syslog of machines (UDP, RFC 5426) and keep their lines in TINK_LOG. */
  @flag
  @IsBoolean()
  readonly BOOTS_SYSLOG: boolean = true;
  /** Machines that are told by option 7 know of 514 only. */
  @IsInt()
  @Min(0)
  @Max(port)
  readonly BOOTS_SYSLOG_PORT: number = 514;

  /** The address that machines reach this service at by IPv6; empty: they do not. */
  @ValidateIf(({ PUBLIC_IP6 }: BootsConfig) => PUBLIC_IP6 !== '')
  @IsIP(6)
  readonly PUBLIC_IP6: string = '';
  /** Answer DHCPv6 (RFC 8415); needs PUBLIC_IP6. */
  @flag
  @IsBoolean()
  readonly BOOTS_DHCP6: boolean = false;
  /** Another number is for laboratories. */
  @IsInt()
  @Min(0)
  @Max(port)
  readonly BOOTS_DHCP6_PORT: number = 547;
  /** Where relays and clients take replies; other numbers are for laboratories. */
  @IsInt()
  @Min(1)
  @Max(port)
  readonly BOOTS_DHCP6_RELAY_PORT: number = 547;
  @IsInt()
  @Min(1)
  @Max(port)
  readonly BOOTS_DHCP6_CLIENT_PORT: number = 546;
  /** `eth0,eth1`: where clients are heard; empty: the interface with PUBLIC_IP6, once it is up. Relays are heard on every one. */
  @Matches(
    /^$|^[A-Za-z0-9_.-]{1,15}(?:,[A-Za-z0-9_.-]{1,15})*$/,
    must('names of interfaces separated by commas, such as eth0,eth1'),
  )
  readonly BOOTS_DHCP6_INTERFACES: string = '';
  /**
   * `2001:db8:1::/64=2001:db8:1::a000/116,2001:db8:2::/64=reservation`: the networks of clients, each with the range that machines
   * without a reservation get their address from. Networks that are not here have reservations only.
   */
  @subnets6
  readonly BOOTS_DHCP6_SUBNETS: string = '';
  /** 255: clients take this server and wait for no other (RFC 8415 §21.8). */
  @IsInt()
  @Min(0)
  @Max(255)
  readonly BOOTS_DHCP6_PREFERENCE: number = 0;
  /** Seconds that nobody is given an address of a range that a client found in use. */
  @IsInt()
  @Min(1)
  @Max(0x7fff_ffff)
  readonly BOOTS_DHCP6_QUARANTINE: number = 86_400;
  /** Comma separated, for hardware without IPv6 name servers. */
  @Matches(/^$|^[0-9A-Fa-f:.]+(?: *, *[0-9A-Fa-f:.]+)*$/, must('IPv6 addresses separated by commas'))
  readonly DNS6_SERVERS: string = '';

  @IsInt()
  @Min(0)
  @Max(port)
  readonly BOOTS_TFTP_PORT: number = 69;
  /** Answer from port 69 itself, for firewalls and address translation that know no TFTP. */
  @flag
  @IsBoolean()
  readonly BOOTS_TFTP_SINGLE_PORT: boolean = false;
  /** Bytes, by IPv6 20 less; larger blocks are sent in IP fragments. */
  @IsInt()
  @Min(512)
  @Max(65_464)
  readonly BOOTS_TFTP_MAX_BLOCK_SIZE: number = 1468;
  /** `4000-4003`: the ports that transfers go through when it is not the single one, for firewalls; empty: two free ones. */
  @portRange
  readonly BOOTS_TFTP_PORT_RANGE: string = '';
  /** At once. Beyond, transfers whose client never answered give way first, then those whose client fell silent. */
  @IsInt()
  @Min(1)
  @Max(65_536)
  readonly BOOTS_TFTP_MAX_TRANSFERS: number = 4096;
  /**
   * The same for one client, which is an address, of a network address translator too; IPv6 addresses that boots neither leased nor has in a
   * record are one for each /64. Never more than half of all. Beyond, requests get no answer: firmware repeats them.
   */
  @IsInt()
  @Min(1)
  @Max(65_536)
  readonly BOOTS_TFTP_MAX_PER_CLIENT: number = 512;
  /** A transfer ends whose client takes less than 16 KiB in so long. */
  @IsInt()
  @Min(1)
  @Max(3600)
  readonly BOOTS_TFTP_PROGRESS_SECONDS: number = 60;
  /** Hand the system many TFTP packets at once, and take DHCP messages so (Linux); false: one by one, at twice the cost and more, and DHCP hears the broadcasts of all interfaces. */
  @flag
  @IsBoolean()
  readonly BOOTS_UDP_BATCHES: boolean = true;

  @IsIP(4)
  readonly BOOTS_HTTP_ADDRESS: string = '0.0.0.0';
  @IsInt()
  @Min(0)
  @Max(port)
  readonly BOOTS_HTTP_PORT: number = 80;
  /** Everything by HTTPS too, and tell UEFI HTTP boot to come that way: such a machine must trust the authority of the certificate. */
  @flag
  @IsBoolean()
  readonly BOOTS_HTTPS: boolean = false;
  @IsInt()
  @Min(0)
  @Max(port)
  readonly BOOTS_HTTPS_PORT: number = 443;
  /** PEM, for PUBLIC_IP and all of BOOTS_FURTHER_IPS, with its chain; read again once a minute. Much firmware knows RSA only. */
  @IsString()
  readonly BOOTS_HTTPS_CERT_FILE: string = '';
  @IsString()
  readonly BOOTS_HTTPS_KEY_FILE: string = '';
  /** Let the system send files straight from its own memory (Linux); false: each byte by way of this process, at twice the cost. */
  @flag
  @IsBoolean()
  readonly BOOTS_HTTP_SENDFILE: boolean = true;
  /** At once; further ones are answered 503. */
  @IsInt()
  @Min(1)
  @Max(1_000_000)
  readonly BOOTS_HTTP_MAX_CONNECTIONS: number = 20_000;
  /** The same for one client, as for BOOTS_TFTP_MAX_PER_CLIENT. */
  @IsInt()
  @Min(1)
  @Max(1_000_000)
  readonly BOOTS_HTTP_MAX_PER_CLIENT: number = 1000;
  /** After so long without a byte either way a connection is closed. */
  @IsInt()
  @Min(1)
  @Max(3600)
  readonly BOOTS_HTTP_IDLE_SECONDS: number = 120;

  /** Folders of network boot programs, `undionly.kpxe`, `shimx64.efi` and others, separated by colons. */
  @IsString()
  readonly BOOTS_IPXE_DIR: string = usualProgramFolders;
  /** Kernel and initramfs of the in-memory OS, served at /osie/. */
  @IsString()
  readonly BOOTS_OSIE_DIR: string = '.cache/osie/current';
  /** Served at /images/; empty: nothing is. */
  @IsString()
  readonly BOOTS_IMAGES_DIR: string = '';
  /** `https://images.example/,http://10.0.0.9/files/`: where /cache/<sha256>/<url> may fetch from; empty: there is no cache. */
  @Matches(originList, {
    message: 'BOOTS_CACHE_ORIGINS must be URLs of http or https that end in a slash, separated by commas',
  })
  readonly BOOTS_CACHE_ORIGINS: string = '';
  /** Where they are kept. */
  @IsString()
  readonly BOOTS_CACHE_DIR: string = '.cache/images';
  /** What was not used for the longest time goes first. */
  @IsInt()
  @Min(1 << 20)
  readonly BOOTS_CACHE_BYTES: number = 20_000_000_000;
  /** Firmware of Raspberry Pis (start4.elf, fixup4.dat, *.dtb, overlays/), served below their serial numbers; empty: none. */
  @IsString()
  readonly BOOTS_RASPBERRY_DIR: string = '';
  /** `16=snp-x86_64.efi,7=snponly.efi`: programs for client architectures (RFC 4578 §2.1) other than the usual ones. */
  @Matches(
    /^$|^\d{1,5}=[A-Za-z0-9._-]+(?:,\d{1,5}=[A-Za-z0-9._-]+)*$/,
    must('architectures with a program, such as 16=snp-x86_64.efi,7=snponly.efi'),
  )
  readonly BOOTS_ARCH_BINARIES: string = '';
  /** How a MAC is written in the paths that we hand out. */
  @IsIn(['colon', 'dash', 'dot', 'no-delimiter', 'empty'])
  readonly BOOTS_MAC_FORMAT: 'colon' | 'dash' | 'dot' | 'no-delimiter' | 'empty' = 'colon';

  /** `https://10.0.0.1:42124`; empty: port 42124 of PUBLIC_IP. */
  @Matches(httpUrl, url)
  readonly TINK_SERVER_URL: string = '';
  /** `http://10.0.0.1:42114/cert`; empty: that path on port 42114 of PUBLIC_IP. */
  @Matches(httpUrl, url)
  readonly TINK_CERT_URL: string = '';
  /** The same two for machines that boot by IPv6; empty: the above where they are set, else those ports of PUBLIC_IP6. */
  @Matches(httpUrl, url)
  readonly TINK_SERVER_URL6: string = '';
  @Matches(httpUrl, url)
  readonly TINK_CERT_URL6: string = '';
  /** SHA-256 of the CA's DER, hex: what machines compare the fetched CA with. */
  @Matches(/^[0-9a-f]{64}$/, must('the SHA-256 of a certificate, 64 characters of 0-9 a-f'))
  readonly TINK_CA_SHA256: string = '';
  /** How long a machine may take to its enrolment from its boot script, from each part of OSIE that it fetches after that, and from OSIE's start. */
  @IsInt()
  @Min(10)
  @Max(86_400)
  readonly BOOTS_TOKEN_SECONDS: number = 600;
  /** Give a script only to who shows the one-time ticket from the URL that DHCP gave the machine. */
  @flag
  @IsBoolean()
  readonly BOOTS_SCRIPT_TICKETS: boolean = true;
  /**
   * Boot machines without a record into OSIE, which tells what they are made of; a subnet of BOOTS_DHCP_FILE may say otherwise. In mode
   * auto-proxy they do in any case.
   */
  @flag
  @IsBoolean()
  readonly BOOTS_DISCOVERY: boolean = false;
  /** Further kernel arguments for OSIE, separated by spaces. */
  @IsString()
  readonly BOOTS_KERNEL_ARGUMENTS: string = '';

  /**
   * Send empty router advertisements on this interface; empty: none. iPXE of 2019 waits 13 s without any. A subnet of BOOTS_DHCP_FILE that
   * is advertised needs no setting.
   */
  @IsString()
  readonly BOOTS_RA_INTERFACE: string = '';
  @IsString()
  readonly BOOTS_RADVD: string = 'radvd';
}
