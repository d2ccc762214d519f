import type { HardwareNetboot } from '@tinkerbell/events';
import { defaultOsieFiles, type OsieBoot } from '@tinkerbell/ipxe';
import type { NetbootVerdict } from '@tinkerbell/projections';

type Osie = Pick<OsieBoot, 'arch' | 'osieUrl' | 'kernel' | 'initrds' | 'console'> & {
  /** The record's own, after the site's. */
  readonly kernelParams: readonly string[];
};

export type ScriptChoice =
  | { readonly script: 'local' }
  | { readonly script: 'custom'; readonly url: string; readonly contents: string }
  | ({ readonly script: 'osie' | 'rescue' | 'discovery' } & Osie);

/** EFI and PXE codes (RFC 4578 §2.1, IANA) of 64-bit ARM; Raspberry Pi's own is 41. */
const arm64Archs: readonly number[] = [11, 19, 22, 41];

/**
 * Which script a machine gets. A rescue wins over everything; then one that may not netboot starts its own disk; then the record's own
 * script wins over OSIE, `contents` over `url`. `arch`: what the machine said in DHCP, which wins over its record.
 */
export function chooseScript(
  { netboot, recordArch }: { readonly netboot: HardwareNetboot; readonly recordArch: string },
  verdict: Pick<NetbootVerdict, 'allowed'>,
  arch: number | null,
  osieUrl: string,
): ScriptChoice {
  const isArm = arch === null ? /^(?:aarch64|arm64)$/i.test(recordArch) : arm64Archs.includes(arch);
  const osie = osieOf(isArm, osieUrl, netboot.osie);
  if (netboot.rescue) return { script: 'rescue', ...osie };
  if (!verdict.allowed) return { script: 'local' };
  const { url, contents } = netboot.ipxe;
  if (url !== '' || contents !== '') return { script: 'custom', url, contents };
  return { script: 'osie', ...osie };
}

/** For a machine without a record. */
export function discoveryScript(arch: number | null, osieUrl: string): ScriptChoice {
  return { script: 'discovery', ...osieOf(arch !== null && arm64Archs.includes(arch), osieUrl) };
}

const usualOsie: HardwareNetboot['osie'] = { base_url: '', kernel: '', initrd: '', kernel_params: [], console: '' };

function osieOf(isArm: boolean, osieUrl: string, wanted = usualOsie): Osie {
  const arch = isArm ? 'aarch64' : 'x86_64';
  const usual = defaultOsieFiles(arch);
  const { base_url, kernel, initrd, kernel_params, console } = wanted;
  return {
    arch,
    osieUrl: base_url === '' ? osieUrl : base_url.replace(/\/+$/, ''),
    kernel: kernel === '' ? usual.kernel : kernel,
    initrds: initrd === '' ? usual.initrds : initrd.split(',').map((part) => part.trim()),
    console,
    kernelParams: kernel_params,
  };
}
