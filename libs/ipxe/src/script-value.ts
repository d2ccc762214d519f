/** A value that would break out of its place in a script. `field` names it. */
export class UnsafeScriptValueError extends Error {
  override get name(): string {
    return 'UnsafeScriptValueError';
  }

  constructor(
    readonly field: string,
    readonly value: string,
  ) {
    super(
      `${field} ${JSON.stringify(value)} cannot be part of an iPXE script: no spaces, control or non-ASCII characters`,
    );
  }
}

/** One word of a script line. iPXE's own `${settings}` stay possible; a space or a newline would start something else. */
export function word(field: string, value: string): string {
  if (!/^[\x21-\x7e]+$/.test(value)) throw new UnsafeScriptValueError(field, value);
  return value;
}
