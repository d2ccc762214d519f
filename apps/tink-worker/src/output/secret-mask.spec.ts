import { describe, expect, it } from 'vitest';
import { SecretMask } from './secret-mask';

/** The same text whole, byte by byte, and cut in two at every place. */
function everyWay(values: readonly string[], text: string): readonly string[] {
  const mask = new SecretMask(values);
  const bytes = Buffer.from(text);
  const pass = (...chunks: readonly Buffer[]) => {
    const stream = mask.stream();
    return Buffer.concat([...chunks.map((chunk) => stream.push(chunk)), stream.end()]).toString();
  };
  const cuts = Array.from({ length: bytes.length }, (_, at) => pass(bytes.subarray(0, at), bytes.subarray(at)));
  return [...new Set([pass(bytes), pass(...[...bytes].map((byte) => Buffer.from([byte]))), ...cuts])];
}

describe('secret mask', () => {
  it.each([
    [['hunter22'], 'pw=hunter22, again hunter22hunter22\n', 'pw=***, again ******\n'],
    [['hunter22'], 'hunter2 is not all of it', 'hunter2 is not all of it'],
    [['hunter22'], 'half at the end: hunter', 'half at the end: hunter'],
    [['abcd', 'abcdef'], 'abcdef abcde', '*** ***e'],
    [['abcd', 'cdef'], 'xabcdefx', 'x***x'],
    [['aaaa'], 'baaaaaaab', 'b***b'],
    [['geheim€'], 'das geheim€!', 'das ***!'],
    [['abc', '12'], 'abc 12 stay', 'abc 12 stay'],
    [['-----BEGIN\n  a2V5LTE=\r\nx\n-----END\n'], 'k: a2V5LTE= x -----END', 'k: *** x ***'],
    [[], 'nothing to hide', 'nothing to hide'],
  ])('%j in %j', (values, text, masked) => {
    expect(everyWay(values, text)).toEqual([masked]);
    expect(new SecretMask(values).text(text)).toBe(masked);
  });

  it('holds back nothing of what cannot be a secret', () => {
    const stream = new SecretMask(['hunter22']).stream();
    expect(stream.push(Buffer.from('a line\nhunt')).toString()).toBe('a line\n');
    expect(stream.push(Buffer.from('ing\n')).toString()).toBe('hunting\n');
    expect(stream.push(Buffer.from('x'.repeat(100_000))).length).toBe(100_000);
  });
});
