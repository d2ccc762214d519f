import { createSocket, type Socket } from 'node:dgram';

export interface Collector {
  readonly port: number;
  /** Resolves when there are as many as were wanted. */
  readonly all: Promise<readonly Buffer[]>;
  readonly socket: Socket;
  /** Resolves when there are so many. */
  has(count: number): Promise<void>;
  close(): Promise<void>;
}

/** A client on 127.0.0.1 that collects what comes, until there are `wanted`. */
export async function openCollector(wanted: number): Promise<Collector> {
  const socket = createSocket('udp4');
  await new Promise<void>((resolve) => socket.bind({ address: '127.0.0.1' }, resolve));
  socket.setRecvBufferSize(8 << 20);
  const got: Buffer[] = [];
  const waiting = new Set<() => void>();
  socket.on('message', (bytes) => {
    got.push(bytes);
    for (const look of [...waiting]) look();
  });
  const has = (count: number) =>
    new Promise<void>((resolve) => {
      const look = () => {
        if (got.length < count) return;
        waiting.delete(look);
        resolve();
      };
      waiting.add(look);
      look();
    });
  return {
    ...{ socket, has, port: socket.address().port },
    all: has(wanted).then(() => got),
    close: () => new Promise<void>((resolve) => socket.close(() => resolve())),
  };
}
