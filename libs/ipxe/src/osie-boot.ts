import { filePath, kernelWord, UnsafeScriptValueError, word } from './script-value';

/** Where a site has no DHCP: what the machine's record says of its network. Of one family, '' = none. */
export interface StaticNetwork {
  readonly address: string;
  /** `255.255.255.0`; of IPv6 the length of the prefix, `64`. */
  readonly netmask: string;
  readonly gateway: string;
  readonly nameServers: readonly string[];
  readonly hostname: string;
}

/** How OSIE's first program gets the root file system by itself, where the boot loader would take minutes for it; iPXE finds out. */
export interface NetRoot {
  /** Of the initrds: what is fetched, by HTTP. */
  readonly initrd: string;
  /** Of its content, hex. */
  readonly sha256: string;
  /** The initrd that fetches it. */
  readonly loader: string;
  /** The IPv6 address to fetch it from: there is no DHCPv6 yet. '': it asks DHCPv4 for one. */
  readonly from: string;
}

/** What the in-memory OS is booted with. URLs without a slash at their end. */
export interface OsieBoot {
  /**
   * `workflow`: a worker asks for work; `rescue`: a shell on the console, no worker; `discovery`: tells boots what the machine is made of.
   */
  readonly purpose: 'workflow' | 'rescue' | 'discovery';
  /** `aa:bb:cc:dd:ee:ff`. */
  readonly mac: string;
  /** Worker id = hardware id; '' for a machine without a record. */
  readonly workerId: string;
  readonly arch: 'x86_64' | 'aarch64';
  /** `http://10.0.0.1/osie`. */
  readonly osieUrl: string;
  /** Names below `osieUrl`. */
  readonly kernel: string;
  /** In the order in which the kernel unpacks them. */
  readonly initrds: readonly string[];
  /** This service, as the machine reaches it: `http://10.0.0.1`. */
  readonly bootsUrl: string;
  /** `https://10.0.0.1:42124`. */
  readonly tinkServerUrl: string;
  /** `http://10.0.0.1:42114/cert`. */
  readonly certUrl: string;
  /** SHA-256 of the CA's DER, hex: what is fetched from `certUrl` has to match it. */
  readonly caSha256: string;
  /** One-time: for the worker's enrolment, or for the report of a discovery. '' for a rescue. */
  readonly token: string;
  /** `ttyS1,115200`; '' = the architecture's usual one. */
  readonly console: string;
  readonly extraArguments: readonly string[];
  /** 0 = none. */
  readonly vlanId: number;
  /** Where OSIE's log goes, address or `address:port`; '' or undefined: where DHCP says. */
  readonly logServer?: string;
  /** '' or undefined: what DHCP says. */
  readonly hostname?: string;
  /** undefined: OSIE asks by DHCP. */
  readonly network?: StaticNetwork;
  /** undefined: the boot loader brings all initrds. */
  readonly netRoot?: NetRoot;
}

/** `vmlinuz-x86_64`, `initramfs-x86_64` (small: busybox and modules) and `rootfs-x86_64` (an uncompressed cpio with root.sqfs). */
export function defaultOsieFiles(arch: OsieBoot['arch']): Pick<OsieBoot, 'kernel' | 'initrds'> {
  return { kernel: `vmlinuz-${arch}`, initrds: [`initramfs-${arch}`, `rootfs-${arch}`] };
}

/** The kernel takes no more (COMMAND_LINE_SIZE of x86 and arm64, with the NUL), and would cut off the end without a word. */
const maxCommandLine = 2047;

/** The kernel command line, word by word, without what the loader adds to it by itself. Throws UnsafeScriptValueError. */
export function kernelArguments(boot: OsieBoot, added: readonly string[] = []): readonly string[] {
  const serial = boot.arch === 'aarch64' ? 'ttyAMA0,115200' : 'ttyS0,115200';
  const words = [
    'console=tty0',
    `console=${kernelWord('console', boot.console === '' ? serial : boot.console)}`,
    'panic=10',
    // What the kernel has to say stays in its log: a serial console at 115200 baud costs seconds.
    'quiet',
    // Before ours: of two with one name OSIE takes the last.
    ...boot.extraArguments.map((argument) => kernelWord('kernel argument', argument)),
    ...Object.entries(named(boot)).flatMap(([name, value]) =>
      value === '' ? [] : `${name}=${kernelWord(name, value)}`,
    ),
  ];
  const length = [...words, ...added].join(' ').length;
  if (length > maxCommandLine) {
    throw new UnsafeScriptValueError(
      'kernel command line',
      words.join(' '),
      `${length} characters, ${maxCommandLine} fit`,
    );
  }
  return words;
}

function named(boot: OsieBoot): Readonly<Record<string, string>> {
  const { purpose, network, vlanId, netRoot, logServer = '', hostname = '' } = boot;
  const server = { tinkerbell: boot.bootsUrl, tink_cert: boot.certUrl, tink_ca: boot.caSha256 };
  return {
    ...(purpose === 'workflow'
      ? { worker_id: boot.workerId, tink_server: boot.tinkServerUrl }
      : { tink_mode: purpose }),
    hw_addr: boot.mac,
    ...server,
    tink_token: boot.token,
    syslog_host: logServer,
    // The kernel's own: before the first program.
    hostname,
    vlan_id: vlanId === 0 ? '' : String(vlanId),
    ipam: network ? ipam(boot.mac, vlanId, network) : '',
    tink_root: netRoot ? `${boot.osieUrl}/${filePath('initrd', netRoot.initrd)}` : '',
    tink_root_sha256: netRoot?.sha256 ?? '',
    tink_root_from: netRoot?.from ?? '',
  };
}

/** The original's form, IPv6 addresses in brackets: `<mac with dashes>:<vlan>:<address>:<netmask>:<gateway>:<host name>:<dns,dns>`. */
function ipam(
  mac: string,
  vlanId: number,
  { address, netmask, gateway, hostname, nameServers }: StaticNetwork,
): string {
  const shown = (ip: string) => (/^[0-9a-f:]*:[0-9a-f:]*$/i.test(ip) ? `[${ip}]` : ip);
  const place = [mac.replaceAll(':', '-'), vlanId === 0 ? '' : String(vlanId), shown(address), netmask];
  const all = [...place, shown(gateway), hostname, nameServers.map(shown).join(',')];
  const odd = all.find((part) => !/^(?:[\w.-]|\[[0-9a-f:]+\]|,)*$/i.test(part));
  if (odd !== undefined) throw new UnsafeScriptValueError('static network', odd, 'it is no part of a network');
  return all.join(':');
}

/**
 * URL of the kernel, and of each initrd that the boot loader brings, with the name that the kernel command line calls it by. Throws
 * UnsafeScriptValueError.
 */
export function osieFiles({ netRoot, ...boot }: Pick<OsieBoot, 'osieUrl' | 'kernel' | 'initrds' | 'netRoot'>) {
  const paths = netRoot ? [...boot.initrds.filter((path) => path !== netRoot.initrd), netRoot.loader] : boot.initrds;
  const base = word('osieUrl', boot.osieUrl);
  const kernel = filePath('kernel', boot.kernel);
  return {
    base,
    kernel,
    initrds: paths.map((path) => ({
      path: filePath('initrd', path),
      name: path.slice(path.lastIndexOf('/') + 1),
    })),
  };
}
