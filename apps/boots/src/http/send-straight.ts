import type { FileHandle } from 'node:fs/promises';
import type { NativeSendfile } from '../files/native-sendfile';
import type { FileContent } from '../files/shared-files';
import type { HttpResponse } from './http-message';

/** Bytes; less is not worth it, and is in memory already when others asked for it too. */
export const leastStraight = 256 << 10;
/** Bytes by way of Node, which waits until the client has taken enough of what went before. */
const writtenBytes = 4 << 10;
/** Bytes a call: the disk may have to be waited for, and others wait for their turn. */
const callBytes = 4 << 20;
/** After these Node writes again, lest it think that nothing moves. */
const callsAtOnce = 16;

/** `sendBytes`, for long stretches of a file that need not pass through our memory. */
export async function sendStraight(
  response: HttpResponse,
  content: FileContent,
  sendfile: NativeSendfile,
  start: number,
  end: number,
): Promise<boolean> {
  try {
    const handle = await content.opened();
    const buffer = Buffer.allocUnsafeSlow(writtenBytes);
    // The end alone makes it whole, and is not sent of a file that became another one meanwhile.
    const last = end + 1 - writtenBytes;
    for (let at = start; at <= end && !response.destroyed;) {
      const part = buffer.subarray(0, Math.min(writtenBytes, end + 1 - at));
      const length = await read(handle, sendfile, part, at);
      if (at + length > end) await content.isSame();
      await written(response, part.subarray(0, length));
      at += length;
      for (let calls = 0, room = true; room && at < last && calls < callsAtOnce; calls++) {
        const count = Math.min(callBytes, last - at);
        const sent = await sendfile.send(response.socket, handle.fd, at, count);
        at += sent;
        room = sent === count;
      }
    }
    if (response.destroyed) return false;
    response.end();
    return true;
  } catch (error) {
    if (!response.headersSent) throw error;
    // The file became shorter or another one: the connection is broken off, which is how the client learns.
    response.destroy();
    return false;
  } finally {
    content.release();
  }
}

async function read(handle: FileHandle, sendfile: NativeSendfile, into: Buffer, at: number): Promise<number> {
  const cached = sendfile.readCached(handle.fd, into, at);
  if (cached > 0) return cached;
  const { bytesRead } = await handle.read(into, 0, into.length, at);
  if (bytesRead === 0) throw new Error('the file became shorter while it was sent');
  return bytesRead;
}

/** Until the system has it, or there is nobody to have it. */
function written(response: HttpResponse, part: Buffer): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      response.off('close', done);
      resolve();
    };
    response.once('close', done);
    response.write(part, done);
    if (response.destroyed) done();
  });
}
