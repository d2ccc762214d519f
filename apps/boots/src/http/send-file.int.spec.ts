import { createServer } from 'node:http';
import { mkdtemp, rm } from 'node:fs/promises';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, expect, it } from 'vitest';
import { NativeSendfile } from '../files/native-sendfile';
import { SharedFiles } from '../files/shared-files';
import { sendFile } from './send-file';

let folder = '';
const server = createServer();
afterEach(async () => {
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
  await rm(folder, { recursive: true, force: true });
});

it.each([
  ['a short file', 1000],
  ['a long file', 1 << 20],
])(
  '%s that cannot be opened is an error before anything is answered, not a connection that breaks off',
  async (_, size) => {
    folder = await mkdtemp(join(tmpdir(), 'send-file-'));
    const files = new SharedFiles(undefined, await NativeSendfile.load());
    // As for one that boots may not read.
    const file = { path: join(folder, 'gone'), size, modifiedMs: 0 };
    server.removeAllListeners('request').on('request', (request, response) => {
      sendFile(request, response, file, files).catch((error: Error) => {
        response.removeHeader('Content-Length');
        response.writeHead(500).end(error.message);
      });
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as AddressInfo;
    const answer = await fetch(`http://127.0.0.1:${port}/`);
    expect([answer.status, await answer.text()]).toEqual([500, expect.stringContaining('ENOENT: no such file')]);
  },
);
