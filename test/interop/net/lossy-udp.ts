import { createSocket, type Socket } from 'node:dgram';

export interface Losses {
  /** Shares of packets, 0 to 1. */
  readonly drop: number;
  readonly duplicate: number;
  /** The packet is held back until the next one in its direction has gone, for 50 ms at most. */
  readonly reorder: number;
  /** Same seed, same accidents. */
  readonly seed: number;
}

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
  const accidents = { drop: 0, duplicate: 0, reorder: 0 };
  const random = seeded(losses.seed);
  const sockets: Socket[] = [];
  let isClosed = false;
  const held = new Map<Socket, () => void>();
  const open = async (port = 0) => {
    const socket = createSocket('udp4');
    await new Promise<void>((resolve) => socket.bind({ address: '127.0.0.1', port }, resolve));
    sockets.push(socket);
    return socket;
  };

  const pass = (from: Socket, bytes: Uint8Array, port: number) => {
    const send = () => {
      if (!isClosed) from.send(bytes, port, '127.0.0.1', () => undefined);
    };
    if (random() < losses.drop) {
      accidents.drop++;
      return;
    }
    const late = held.get(from);
    held.delete(from);
    if (!late && random() < losses.reorder) {
      accidents.reorder++;
      held.set(from, send);
      setTimeout(() => {
        if (held.get(from) !== send) return;
        held.delete(from);
        send();
      }, 50);
      return;
    }
    send();
    late?.();
    if (random() < losses.duplicate) {
      accidents.duplicate++;
      send();
    }
  };

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
    accidents,
    close: async () => {
      isClosed = true;
      await Promise.all(sockets.map((socket) => new Promise<void>((resolve) => socket.close(() => resolve()))));
    },
  };
}

/** Mulberry32. */
function seeded(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}
