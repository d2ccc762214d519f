import { kernelArguments, type OsieBoot, osieFiles } from './osie-boot';

/** `config.txt` of the Raspberry Pi's firmware (4 and newer, 64 bits). It fetches what is named here from the folder of this file. */
export function raspberryConfig(boot: Pick<OsieBoot, 'osieUrl' | 'kernel' | 'initrds'>): string {
  const { kernel, initrds } = osieFiles(boot);
  return [
    '[all]',
    'arm_64bit=1',
    'enable_uart=1',
    `kernel=${kernel}`,
    // Several are loaded one after the other (firmware of 2022 and newer).
    ...(initrds.length > 0 ? [`initramfs ${initrds.map(({ path }) => path).join(',')} followkernel`] : []),
    '',
  ].join('\n');
}

/** `cmdline.txt`: one line. */
export function raspberryCommandLine(boot: OsieBoot): string {
  return `${kernelArguments({ ...boot, console: boot.console === '' ? 'serial0,115200' : boot.console }).join(' ')}\n`;
}
