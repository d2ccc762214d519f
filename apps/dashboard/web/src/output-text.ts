// ECMA-48: CSI sequences, OSC strings (ended by BEL or ST), and the two-byte escapes.
const escapes = /\x1b\[[0-?]*[ -/]*[@-~]|\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)?|\x1b[ -/]*[0-~]/g;
const others = /[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]/g;

/** A line of output as a terminal would leave it: no escape sequences, and of text that overwrites itself only the last. */
export function plainLine(line: string): string {
  const text = line.replace(escapes, '').replace(/\r+$/, '');
  return text.slice(text.lastIndexOf('\r') + 1).replace(others, '');
}
