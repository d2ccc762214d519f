import { createHash } from 'node:crypto';

/** Our own namespace; ids made with another one would be stored again beside those that are there. */
const namespace = 'b0f5c2a4-52a5-4d0a-8f0e-6f2f7c1f3a17';

/** The same event has the same id however often it is mirrored: the target recognises it. */
export function eventId(position: number, index: number): string {
  return uuidV5(`${position}:${index}`, namespace);
}

/** RFC 9562 §5.5: SHA-1 of the namespace's bytes and the name. */
export function uuidV5(name: string, inNamespace: string): string {
  const bytes = createHash('sha1')
    .update(Buffer.from(inNamespace.replaceAll('-', ''), 'hex'))
    .update(name, 'utf8')
    .digest()
    .subarray(0, 16);
  bytes.writeUInt8((bytes.readUInt8(6) & 0x0f) | 0x50, 6);
  bytes.writeUInt8((bytes.readUInt8(8) & 0x3f) | 0x80, 8);
  return bytes.toString('hex').replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
}
