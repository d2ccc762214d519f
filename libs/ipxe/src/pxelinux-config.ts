import { kernelArguments, type OsieBoot, osieFiles } from './osie-boot';

/**
 * `pxelinux.cfg/…`. Fetched by TFTP from the server that PXELINUX came from (`::` leads past its own folder), or by the URL of another
 * server, which `lpxelinux.0` can. A line is taken as it is: there is no quoting, and nothing that a word may hold has a meaning.
 */
export function pxelinuxOsie(boot: OsieBoot): string {
  const { base, kernel, initrds } = osieFiles(boot);
  const root = base === `${boot.bootsUrl}/osie` ? '::osie' : base;
  const images = initrds.map(({ path }) => `${root}/${path}`).join(',');
  const added = [`BOOT_IMAGE=${root}/${kernel}`, ...(images === '' ? [] : [`initrd=${images}`])];
  return lines([
    `SAY Tinkerbell: booting the in-memory OS on ${boot.mac}`,
    'DEFAULT osie',
    'LABEL osie',
    `  KERNEL ${root}/${kernel}`,
    ...(images === '' ? [] : [`  INITRD ${images}`]),
    `  APPEND ${kernelArguments(boot, added).join(' ')}`,
  ]);
}

/** -1 gives the machine back to its firmware, which goes on with its next device. */
export function pxelinuxLocal({ mac }: { readonly mac: string }): string {
  return lines([`SAY Tinkerbell: nothing to install on ${mac}, booting its own disk`, ...nextDevice]);
}

export function pxelinuxCustom(): string {
  return lines([
    'SAY Tinkerbell: the script in the record of this machine is for iPXE, not for PXELINUX',
    ...nextDevice,
  ]);
}

const nextDevice = ['DEFAULT disk', 'LABEL disk', '  LOCALBOOT -1'];

function lines(body: readonly string[]): string {
  return ['PROMPT 0', 'TIMEOUT 0', ...body, ''].join('\n');
}
