import { createSocket } from 'node:dgram';
import { afterEach, expect, it } from 'vitest';
import type { Logger } from '../logger';
import { NativeBatch } from '../udp/native-batch';
import { Broadcasts } from './broadcasts';

const closers: (() => unknown)[] = [];
afterEach(() => closers.splice(0).forEach((close) => close()));

/** What is broadcast on the loopback interface and heard by broadcasts of `address`, and what the log is told. */
async function heardOnLoopback(address: string, native: NativeBatch | undefined) {
  const told: string[] = [];
  const tell = (text: string) => void told.push(text);
  const log: Logger = { debug: tell, info: tell, warn: tell, error: tell };
  const broadcasts = new Broadcasts(address, native, log);
  const { socket } = await broadcasts.open(0);
  const { port } = socket.address();
  const client = createSocket('udp4');
  closers.push(() => (broadcasts.close(), socket.close(), client.close()));
  const heard = new Promise<string>((resolve) => socket.once('message', (bytes) => resolve(bytes.toString())));
  await new Promise<void>((resolve) => client.bind({ address: '127.0.0.1' }, resolve));
  client.setBroadcast(true);
  client.send('to everybody', port, '255.255.255.255');
  return {
    heard: await heard,
    told: told.map((text) => text.replace(`${port}`, 'PORT').replace(/port 0/, 'port PORT')),
  };
}

it('broadcasts of the interface with our address are heard', async () => {
  expect(await heardOnLoopback('127.0.0.1', await NativeBatch.load())).toEqual({ heard: 'to everybody', told: [] });
});

it.each([
  ['127.0.0.1', false, 'it takes Linux and BOOTS_UDP_BATCHES'],
  ['192.0.2.1', true, 'no interface that is up has 192.0.2.1'],
])(
  'all are heard, and the log is told, when the interface cannot be told apart (%s, %s)',
  async (address, has, why) => {
    const { heard, told } = await heardOnLoopback(address, has ? await NativeBatch.load() : undefined);
    expect(heard).toBe('to everybody');
    expect(told).toEqual([`DHCP broadcasts to port PORT are heard on all interfaces: ${why}`]);
  },
);

it('nothing is heard when others of ours hear the other interfaces, and this one cannot be told apart', async () => {
  const silent = { debug: () => undefined, info: () => undefined, warn: () => undefined, error: () => undefined };
  const broadcasts = new Broadcasts('192.0.2.1', await NativeBatch.load(), silent, false);
  await expect(broadcasts.open(0)).rejects.toThrow('no interface that is up has 192.0.2.1');
});
