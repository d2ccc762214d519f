import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openSecondDoor } from './second-door';

let house: Server;
let guests: Socket[];
let close: () => Promise<void>;
let port = 0;

beforeEach(async () => {
  guests = [];
  house = createServer({ allowHalfOpen: true }, (guest) => {
    guests.push(guest);
    guest.on('error', () => undefined);
  });
  await once(house.listen(0, '127.0.0.1'), 'listening');
  ({ port } = house.address() as AddressInfo);
  close = await openSecondDoor('NATS', { host: '::1', port }, { host: '127.0.0.1', port });
});
afterEach(async () => {
  await close();
  for (const guest of guests) guest.destroy();
  house.close();
});

async function enter(allowHalfOpen = false): Promise<{ readonly outside: Socket; readonly inside: Socket }> {
  const outside = connect({ host: '::1', port, allowHalfOpen });
  outside.on('error', () => undefined);
  await expect.poll(() => guests.length).toBeGreaterThan(0);
  return { outside, inside: guests[0] as Socket };
}

/** Without closing it, as an iterator would. */
async function read(socket: Socket): Promise<string> {
  let text = '';
  socket.on('data', (part: Buffer) => (text += part.toString()));
  await once(socket, 'end');
  return text;
}

describe('a second door', () => {
  it('carries both ways, and an end of one way leaves the other', async () => {
    const { outside, inside } = await enter(true);
    const question = 'q'.repeat(3_000_000);
    outside.end(question);
    expect(await read(inside)).toBe(question);
    inside.end('answer');
    expect(await read(outside)).toBe('answer');
  });

  it('breaks off what was broken off, on either side', async () => {
    const first = await enter();
    first.outside.destroy();
    if (!first.inside.closed) await once(first.inside.resume(), 'end');
    guests = [];
    const second = await enter();
    second.inside.resetAndDestroy();
    await once(second.outside.resume(), 'close');
  });

  it('shuts out whoever is in when it is closed, and says why it cannot be opened', async () => {
    const { outside } = await enter();
    await expect(openSecondDoor('NATS', { host: '::1', port }, { host: '127.0.0.1', port })).rejects.toThrow(
      `cannot listen for NATS on [::1]:${port}: listen EADDRINUSE`,
    );
    const gone = once(outside.resume(), 'close');
    await close();
    await gone;
    close = () => Promise.resolve();
  });

  it('lets in nobody who does not find the house', async () => {
    house.close();
    await once(house, 'close');
    const outside = connect({ host: '::1', port });
    outside.on('error', () => undefined);
    await once(outside.resume(), 'close');
  });
});
