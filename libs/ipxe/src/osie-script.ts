import { defaultRetry, failureLines, retried, type RetryPolicy } from './retry';
import { word } from './script-value';

/** What the in-memory OS is booted with. URLs without a slash at their end. */
export interface OsieBoot {
  /** `aa:bb:cc:dd:ee:ff`. */
  readonly mac: string;
  /** Worker id = hardware id. */
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
  /** One-time enrolment token. */
  readonly token: string;
  readonly extraArguments?: readonly string[];
  readonly retry?: RetryPolicy;
}

/** `vmlinuz-x86_64`, `initramfs-x86_64` (small: busybox and modules) and `rootfs-x86_64` (an uncompressed cpio with root.sqfs). */
export function defaultOsieFiles(arch: OsieBoot['arch']): Pick<OsieBoot, 'kernel' | 'initrds'> {
  return { kernel: `vmlinuz-${arch}`, initrds: [`initramfs-${arch}`, `rootfs-${arch}`] };
}

/** The script that boots the in-memory OS. Throws UnsafeScriptValueError. */
export function osieScript(boot: OsieBoot): string {
  const retry = boot.retry ?? defaultRetry;
  const base = word('osieUrl', boot.osieUrl);
  const kernel = word('kernel', boot.kernel);
  const initrds = boot.initrds.map((name) => word('initrd', name));
  return [
    '#!ipxe',
    '',
    `echo Tinkerbell: booting the in-memory OS on ${word('mac', boot.mac)}`,
    `set base ${base}`,
    ...retried('kernel', `kernel \${base}/${kernel} ${kernelArguments(boot).join(' ')}`, `fetching ${kernel}`, retry),
    ...initrds.flatMap((name, i) =>
      retried(`initrd${i + 1}`, `initrd --name ${fileName(name)} \${base}/${name}`, `fetching ${name}`, retry),
    ),
    'boot || goto failed',
    ...failureLines(),
    '',
  ].join('\n');
}

function kernelArguments(boot: OsieBoot): readonly string[] {
  const serial = boot.arch === 'aarch64' ? 'ttyAMA0' : 'ttyS0';
  const named = {
    worker_id: boot.workerId,
    hw_addr: boot.mac,
    tinkerbell: boot.bootsUrl,
    tink_server: boot.tinkServerUrl,
    tink_cert: boot.certUrl,
    tink_ca: boot.caSha256,
    tink_token: boot.token,
  };
  return [
    'console=tty0',
    `console=${serial},115200`,
    'panic=10',
    // What the kernel has to say stays in its log: a serial console at 115200 baud costs seconds.
    'quiet',
    ...Object.entries(named).map(([name, value]) => `${name}=${word(name, value)}`),
    ...(boot.extraArguments ?? []).map((argument) => word('kernel argument', argument)),
    // A UEFI kernel loads the initrds that its command line names; a BIOS kernel gets all of them and ignores this.
    ...boot.initrds.map((name) => `initrd=${fileName(name)}`),
  ];
}

function fileName(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1);
}
