import { kernelArguments, type NetRoot, type OsieBoot, osieFiles } from './osie-boot';
import { defaultRetry, failureLines, retried, type RetryPolicy } from './retry';
import { filePath, word } from './script-value';

const announced = {
  workflow: 'booting the in-memory OS',
  rescue: 'booting a rescue shell',
  discovery: 'looking at what this machine is made of',
} as const satisfies Record<OsieBoot['purpose'], string>;

/** The script that boots the in-memory OS. Throws UnsafeScriptValueError. */
export function osieScript(boot: OsieBoot, retry: RetryPolicy = defaultRetry): string {
  const { netRoot, ...rest } = boot;
  const { base, kernel, initrds } = osieFiles(rest);
  // A UEFI kernel loads the initrds that its command line names; a BIOS kernel gets all of them and ignores this.
  const named = initrds.map(({ name }) => `initrd=${name}`);
  const words = [...kernelArguments(boot, named), ...named];
  return [
    '#!ipxe',
    '',
    `echo Tinkerbell: ${announced[boot.purpose]} on ${word('mac', boot.mac)}`,
    `set base ${base}`,
    ...(netRoot ? unlessUndi(netRoot) : []),
    ...retried('kernel', `kernel \${base}/${kernel} ${words.join(' ')}`, `fetching ${kernel}`, retry),
    ...initrds.flatMap(({ path, name }, i) => {
      const file = path === netRoot?.initrd ? '${root}' : path;
      return retried(`initrd${i + 1}`, `initrd --name ${name} \${base}/${file}`, `fetching ${file}`, retry);
    }),
    'boot || goto failed',
    ...failureLines(),
    '',
  ].join('\n');
}

/**
 * Through the driver that the card's ROM has (UNDI, of BIOS alone) a root file system takes up to minutes: the in-memory OS fetches it by
 * itself. Through drivers of its own iPXE is as fast as that.
 */
function unlessUndi({ initrd, loader }: NetRoot): string[] {
  return [
    `set root ${filePath('initrd', initrd)}`,
    `iseq \${netX/chip} undionly && set root ${filePath('initrd', loader)} ||`,
  ];
}
