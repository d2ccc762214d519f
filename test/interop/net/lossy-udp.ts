import { createSocket, type Socket } from 'node:dgram';
import { Accidents, type Losses } from './accidents';

export interface LossyUdp {
  readonly port: number;
  readonly accidents: Readonly<Record<'drop' | 'duplicate' | 'reorder', number>>;
  close(): Promise<void>;
}

/**
 * A bad network in front of a TFTP server on the loopback interface. Each client port gets a port of its own towards the server, and
 * sees the server's ephemeral ports as ports of its own too, so that transfer ids stay what they are (RFC 1350 §4).
 */
export async function startLossyUdp(serverPort: number, losses: Losses): Promise<LossyUdp> {
  const accidents = new Accidents(losses);
  const sockets: Socket[] = [];
  let isClosed = false;
  const open = async (port = 0) => {
    const socket = createSocket('udp4');
    await new Promise<void>((resolve) => socket.bind({ address: '127.0.0.1', port }, resolve));
    sockets.push(socket);
    return socket;
  };

  const pass = (from: Socket, bytes: Uint8Array, port: number) =>
    accidents.pass(from, () => {
      if (!isClosed) from.send(bytes, port, '127.0.0.1', () => undefined);
    });

  /** Joins one client to the server: its face for the client is `near`, that for the server is made here. */
  const connect = async (near: Socket, clientPort: number, target: number) => {
    const far = await open();
    const faces = new Map<number, Promise<Socket>>([[target, Promise.resolve(near)]]);
    far.on('message', (bytes, { port }) => {
      // A new port of the server is a transfer of its own: it gets a face of its own.
      const face = faces.get(port) ?? newFace(far, port);
      faces.set(port, face);
      void face.then((socket) => pass(socket, bytes, clientPort));
    });
    return far;
  };
  const newFace = async (far: Socket, serverTransferPort: number) => {
    const face = await open();
    face.on('message', (bytes) => pass(far, bytes, serverTransferPort));
    return face;
  };

  const front = await open();
  const clients = new Map<number, Promise<Socket>>();
  front.on('message', (bytes, { port }) => {
    const far = clients.get(port) ?? connect(front, port, serverPort);
    clients.set(port, far);
    void far.then((socket) => pass(socket, bytes, serverPort));
  });
  return {
    port: front.address().port,
    accidents: accidents.count,
    close: async () => {
      isClosed = true;
      await Promise.all(sockets.map((socket) => new Promise<void>((resolve) => socket.close(() => resolve()))));
    },
  };
}
