import { chunkBytes, type Content } from '../files/shared-files';
import type { HttpResponse } from './http-message';

/**
 * While this many or fewer are sent to, each may hold a whole chunk. Beyond, each gets a small copy: thousands of slow clients at
 * different places would keep thousands of chunks in memory.
 */
const fewClients = 256;
const copyBytes = 16 << 10;
let clients = 0;

/**
 * Sends `start` to `end`, both inclusive, no faster than the client reads, and ends the response. True: all of it went out. Rejects when not
 * even its beginning can be read: the response is as it was.
 */
export async function sendBytes(
  response: HttpResponse,
  content: Content,
  start: number,
  end: number,
): Promise<boolean> {
  clients++;
  try {
    for (let at = start; at <= end && !response.destroyed;) {
      const index = Math.floor(at / chunkBytes);
      const { bytes } = content.peek(index) ?? (await content.read(index));
      const from = at - index * chunkBytes;
      const upTo = Math.min(bytes.length, end + 1 - index * chunkBytes);
      const part =
        clients <= fewClients
          ? bytes.subarray(from, upTo)
          : Buffer.from(bytes.subarray(from, Math.min(upTo, from + copyBytes)));
      at += part.length;
      if (upTo === bytes.length && at <= end) content.readAhead(index + 1);
      if (!response.write(part)) await room(response);
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
    clients--;
    content.release();
  }
}

/** Until there is room for more, or nobody there to send it to. */
function room(response: HttpResponse): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      response.off('drain', done);
      response.off('close', done);
      resolve();
    };
    response.once('drain', done);
    response.once('close', done);
    if (response.destroyed) done();
  });
}
