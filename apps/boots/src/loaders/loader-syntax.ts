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
  format: 'PXELINUX',
  isSlow: true,
  osie: pxelinuxOsie,
  local: pxelinuxLocal,
  custom: pxelinuxCustom,
};
export const grubSyntax: ScriptSyntax = {
  format: 'GRUB',
  isSlow: true,
  osie: grubOsie,
  local: grubLocal,
  custom: grubCustom,
};

/** Without a file the Raspberry Pi goes on with its next boot device. */
function noScript(): never {
  const why = 'the script in the record of this machine is for iPXE, not for a Raspberry Pi';
  throw new NotFoundError('file', 'cmdline.txt', `cmdline.txt not found: ${why}`);
}

export const raspberrySyntax: ScriptSyntax = {
  format: 'Raspberry Pi',
  osie: raspberryCommandLine,
  local: () => '',
  custom: noScript,
};
