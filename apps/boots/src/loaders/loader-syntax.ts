import {
  grubCustom,
  grubLocal,
  grubOsie,
  pxelinuxCustom,
  pxelinuxLocal,
  pxelinuxOsie,
  raspberryCommandLine,
} from '@tinkerbell/ipxe';
import { NotFoundError } from '@tinkerbell/domain';
import type { ScriptSyntax } from '../ipxe/script-syntax';

export const pxelinuxSyntax: ScriptSyntax = {
  isSlow: true,
  osie: pxelinuxOsie,
  local: pxelinuxLocal,
  custom: pxelinuxCustom,
};
export const grubSyntax: ScriptSyntax = { isSlow: true, osie: grubOsie, local: grubLocal, custom: grubCustom };

/** Without a file the Raspberry Pi goes on with its next boot device. */
function nothing(): never {
  throw new NotFoundError('file', 'cmdline.txt');
}

export const raspberrySyntax: ScriptSyntax = { osie: raspberryCommandLine, local: nothing, custom: nothing };
