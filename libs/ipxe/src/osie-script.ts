import { kernelArguments, type OsieBoot, osieFiles } from './osie-boot';
import { defaultRetry, failureLines, retried, type RetryPolicy } from './retry';
import { word } from './script-value';

const announced = {
  workflow: 'booting the in-memory OS',
  rescue: 'booting a rescue shell',
  discovery: 'looking at what this machine is made of',
} as const satisfies Record<OsieBoot['purpose'], string>;

/** The script that boots the in-memory OS. Throws UnsafeScriptValueError. */
export function osieScript(boot: OsieBoot, retry: RetryPolicy = defaultRetry): string {
  const { base, kernel, initrds } = osieFiles(boot);
  // A UEFI kernel loads the initrds that its command line names; a BIOS kernel gets all of them and ignores this.
  const named = initrds.map(({ name }) => `initrd=${name}`);
  const words = [...kernelArguments(boot, named), ...named];
  return [
    '#!ipxe',
    '',
    `echo Tinkerbell: ${announced[boot.purpose]} on ${word('mac', boot.mac)}`,
    `set base ${base}`,
    ...retried('kernel', `kernel \${base}/${kernel} ${words.join(' ')}`, `fetching ${kernel}`, retry),
    ...initrds.flatMap(({ path, name }, i) =>
      retried(`initrd${i + 1}`, `initrd --name ${name} \${base}/${path}`, `fetching ${path}`, retry),
    ),
    'boot || goto failed',
    ...failureLines(),
    '',
  ].join('\n');
}
