/** A value that would break out of its place in a script or on a kernel command line. `field` names it. */
export class UnsafeScriptValueError extends Error {
  override get name(): string {
    return 'UnsafeScriptValueError';
  }

  constructor(
    readonly field: string,
    readonly value: string,
    readonly reason: string,
  ) {
    super(`${field} ${shown(value)} cannot be part of a boot script: ${reason}`);
  }
}

/** iPXE refuses a longer line; nothing that makes sense comes near it. */
const longest = 1024;

/** One word of a script line in which iPXE's own `${settings}` stay possible: the URL of an operator's script. */
export function template(field: string, value: string): string {
  const refuse = (reason: string) => new UnsafeScriptValueError(field, value, reason);
  if (value === '') throw refuse('it is empty');
  if (value.length > longest) throw refuse(`it has ${value.length} characters, ${longest} is the limit`);
  if (!/^[\x21-\x7e]+$/.test(value)) throw refuse('no spaces, control or non-ASCII characters');
  // iPXE takes them for the end of a command and for a comment.
  if (/^(?:\|\||&&|;)$|^#/.test(value)) throw refuse('it would end the command');
  return value;
}

/**
 * One word of a script line that means itself. iPXE has no way to quote `${`: what stands for a dollar sign is expanded again with what
 * follows. So it is refused, as is what GRUB or the kernel would take for a quotation.
 */
export function word(field: string, value: string): string {
  template(field, value);
  if (value.includes('${')) throw new UnsafeScriptValueError(field, value, '"${" begins an iPXE setting');
  if (/["'\\`]/.test(value)) throw new UnsafeScriptValueError(field, value, 'no quotes and no backslashes');
  return value;
}

/** One argument of the kernel. After `--` everything would go to init. */
export function kernelWord(field: string, value: string): string {
  if (value === '--') throw new UnsafeScriptValueError(field, value, 'it would end the arguments of the kernel');
  return word(field, value);
}

/** A path below the root that files are served from, or a part of it. */
export function filePath(field: string, value: string): string {
  word(field, value);
  const isPlain = /^[\w.+~@%=:/-]+$/.test(value) && !value.split('/').includes('..') && !/^[-/]|\/$/.test(value);
  if (!isPlain) throw new UnsafeScriptValueError(field, value, 'it is not the path of a file below our root');
  return value;
}

function shown(value: string): string {
  const text = JSON.stringify(value);
  return text.length > 200 ? `${text.slice(0, 200)}…` : text;
}
