import type { HardwareNetboot } from '@tinkerbell/events';
import { defaultOsieFiles, type OsieBoot } from '@tinkerbell/ipxe';
import type { NetbootVerdict } from '@tinkerbell/projections';

export type ScriptChoice =
  | { readonly script: 'local' }
  | { readonly script: 'custom'; readonly url: string; readonly contents: string }
  | ({ readonly script: 'osie' } & Pick<OsieBoot, 'arch' | 'osieUrl' | 'kernel' | 'initrds'>);

/** EFI and PXE codes (RFC 4578 §2.1, IANA) of 64-bit ARM; Raspberry Pi's own is 41. */
const arm64Archs: readonly number[] = [11, 19, 22, 41];

/**
 * Which script a machine gets. The record's own script wins over OSIE, `contents` over `url`; a machine that may not netboot starts its
 * own disk. `arch`: what the machine said in DHCP, which wins over its record.
 */
export function chooseScript(
  { netboot, recordArch }: { readonly netboot: HardwareNetboot; readonly recordArch: string },
  verdict: Pick<NetbootVerdict, 'allowed'>,
  arch: number | null,
  osieUrl: string,
): ScriptChoice {
  if (!verdict.allowed) return { script: 'local' };
  const { url, contents } = netboot.ipxe;
  if (url !== '' || contents !== '') return { script: 'custom', url, contents };
  const isArm = arch === null ? /^(?:aarch64|arm64)$/i.test(recordArch) : arm64Archs.includes(arch);
  const name = isArm ? 'aarch64' : 'x86_64';
  const usual = defaultOsieFiles(name);
  const { base_url, kernel, initrd } = netboot.osie;
  return {
    script: 'osie',
    arch: name,
    osieUrl: base_url === '' ? osieUrl : base_url.replace(/\/+$/, ''),
    kernel: kernel === '' ? usual.kernel : kernel,
    initrds: initrd === '' ? usual.initrds : initrd.split(',').map((part) => part.trim()),
  };
}
