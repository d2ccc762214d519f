import { connect, createServer, type Socket } from 'node:net';

interface Place {
  readonly host: string;
  readonly port: number;
}

/** For programs that listen at one address: whoever comes to `door` is brought to `house`, byte for byte. Returns what closes it. */
export async function openSecondDoor(what: string, door: Place, house: Place): Promise<() => Promise<void>> {
  const open = new Set<Socket>();
  const server = createServer({ allowHalfOpen: true, noDelay: true }, (guest) => {
    const host = connect({ ...house, allowHalfOpen: true, noDelay: true });
    for (const [one, other] of [
      [guest, host],
      [host, guest],
    ] as const) {
      open.add(one);
      one.pipe(other);
      // What broke is seen at the other end, where the connection breaks too.
      one.on('error', () => other.destroy());
      one.once('close', () => {
        open.delete(one);
        if (!one.readableEnded) other.destroy();
      });
    }
  });
  await new Promise<void>((resolve, reject) => {
    const refused = (cause: Error) =>
      reject(new Error(`cannot listen for ${what} on [${door.host}]:${door.port}: ${cause.message}`, { cause }));
    server.once('error', refused);
    server.listen({ ...door, ipv6Only: true }, () => {
      server.off('error', refused);
      resolve();
    });
  });
  return () =>
    new Promise((resolve) => {
      server.close(() => resolve());
      for (const socket of open) socket.destroy();
    });
}
