import type { BootScriptFormat } from '@tinkerbell/events';
import { chainScript, contentsScript, localBootScript, type OsieBoot, osieScript } from '@tinkerbell/ipxe';

/** How one boot program wants to be told what to do. Each throws UnsafeScriptValueError for a value that would say something else. */
export interface ScriptSyntax {
  readonly format: BootScriptFormat;
  /** A root file system may take it minutes, as by TFTP. */
  readonly isSlow?: boolean;
  osie(boot: OsieBoot): string;
  /** `mac`: `aa:bb:cc:dd:ee:ff`. '': by getting no file at all. */
  local(machine: { readonly mac: string }): string;
  /** `contents` wins over `url`. */
  custom(script: { readonly url: string; readonly contents: string }): string;
}

export const ipxeSyntax: ScriptSyntax = {
  format: 'iPXE',
  isSlow: true,
  osie: (boot) => osieScript(boot),
  local: localBootScript,
  custom: ({ url, contents }) => (contents === '' ? chainScript(url) : contentsScript(contents)),
};
