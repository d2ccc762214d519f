import { createSocket, type Socket } from 'node:dgram';
import { writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { option, requestedAddress, serverIdentifier } from '@tinkerbell/dhcp';
import { subjects, NatsBus, type LoggedMachineLine } from '@tinkerbell/messaging';
import { startTestNats, type TestNats } from '@tinkerbell/nats';
import { actionSpec, actionStarted, hardwareId, hardwareUpdated, workflowCreated } from '@tinkerbell/testing';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { type Bench, machineAddress, recordAt, startBench } from '../boots.testing';
import { requestOf } from '../dhcp/requests.testing';
import { silentLogger } from '../logger';
import { BusMachineLog } from './bus-machine-log';

let nats: TestNats;
let bus: NatsBus;
let bench: Bench | undefined;
beforeAll(async () => {
  nats = await startTestNats();
  bus = await NatsBus.connect({ servers: nats.url, name: 'boots' });
});
afterEach(async () => {
  await bench?.close();
  bench = undefined;
});
afterAll(async () => {
  await bus?.close();
  await nats?.stop();
});

async function start(options: Parameters<typeof startBench>[0] = {}): Promise<Bench> {
  const settings = { BOOTS_SYSLOG_PORT: 0, ...options.settings };
  bench = await startBench({ machineLog: new BusMachineLog(bus), ...options, settings });
  return bench;
}

async function send(from: string, port: number, ...texts: readonly string[]): Promise<void> {
  const [type, to] = from.includes(':') ? (['udp6', '::1'] as const) : (['udp4', '127.0.0.1'] as const);
  const socket = createSocket(type);
  await new Promise<void>((resolve) => socket.bind({ address: from, port: 0 }, resolve));
  for (const text of texts) await new Promise<void>((resolve) => socket.send(text, port, to, () => resolve()));
  await new Promise<void>((resolve) => socket.close(() => resolve()));
}

async function lines(id = hardwareId): Promise<readonly LoggedMachineLine[]> {
  const all: LoggedMachineLine[] = [];
  for await (const line of bus.machineLines({ subject: subjects.logOfMachine(id) })) all.push(line);
  return all;
}

describe('syslog of machines', () => {
  it('is kept with the machine, in order, and with the workflow that it is at work on', async () => {
    const { boots, lease, append } = await start();
    await lease();
    const port = boots.syslog?.port ?? 0;
    await send(machineAddress, port, '<6>kernel: one', '<11>Feb  5 17:32:18 node-1 mount[7]: two');
    await expect.poll(lines).toHaveLength(2);
    const stream = subjects.stream('workflow', 'wf-1');
    await append(stream, workflowCreated([actionSpec({ workerId: hardwareId })]));
    await append(stream, actionStarted(0));
    await send(machineAddress, port, 'three');
    await expect.poll(lines).toHaveLength(3);
    expect(await lines()).toMatchObject([
      { workflowId: null, facility: 'kern', severity: 'info', app: 'kernel', line: 'one', address: machineAddress },
      { workflowId: null, severity: 'err', host: 'node-1', app: 'mount', pid: '7', line: 'two' },
      { workflowId: 'wf-1', facility: 'user', severity: 'notice', line: 'three' },
    ]);
  });

  it('is kept by the MAC of a machine that has a lease of a pool and no record', async () => {
    const file = join(tmpdir(), `dhcp-${process.pid}-${Math.random()}.yaml`);
    const pools = 'probe: false, pools: [{ ranges: [127.0.1.20] }]';
    await writeFile(file, `subnets: [{ subnet: 127.0.0.0/8, ${pools} }]`);
    const { boots, dhcp } = await start({ settings: { BOOTS_DHCP_FILE: file } });
    const wish = [option(serverIdentifier, '127.0.0.1'), option(requestedAddress, '127.0.1.20')];
    await dhcp(requestOf('request', wish, { chaddr: Uint8Array.of(2, 0, 0, 0, 0, 9) }));
    await send('127.0.1.20', boots.syslog?.port ?? 0, '<6>kernel: who am I');
    const theirs = () => lines('02-00-00-00-00-09');
    await expect.poll(theirs).toHaveLength(1);
    expect(await theirs()).toMatchObject([
      { hardwareId: '02-00-00-00-00-09', workflowId: null, mac: '02-00-00-00-00-09', line: 'who am I' },
    ]);
  });

  it('is not taken from whoever has no lease', async () => {
    const { boots } = await start();
    await send('127.0.0.9', boots.syslog?.port ?? 0, 'a stranger');
    await expect.poll(() => boots.metrics.total('syslog_dropped_total', { reason: 'unknown-sender' })).toBe(1);
    expect((await lines()).filter(({ line }) => line === 'a stranger')).toEqual([]);
  });

  it('comes by IPv6 too', async () => {
    const { boots, append } = await start({ settings: { PUBLIC_IP6: '::1' } });
    const port = boots.syslog?.port ?? 0;
    await send('::1', port, 'a stranger');
    await expect.poll(() => boots.metrics.total('syslog_dropped_total', { reason: 'unknown-sender' })).toBe(1);
    await append(subjects.stream('hardware', hardwareId), hardwareUpdated(recordAt('::1')));
    await send('::1', port, '<6>kernel: by six');
    await expect.poll(async () => (await lines()).at(-1)).toMatchObject({ address: '::1', line: 'by six' });
  });

  it('is done without when another program has the port, and when it is switched off', async () => {
    const other = createSocket('udp4');
    await new Promise<void>((resolve) => other.bind({ address: '127.0.0.1', port: 0 }, resolve));
    const { boots, close } = await start({ settings: { BOOTS_SYSLOG_PORT: other.address().port } });
    expect(boots.syslog).toBeUndefined();
    await close();
    await new Promise<void>((resolve) => other.close(() => resolve()));
    expect((await start({ settings: { BOOTS_SYSLOG: 'false' } })).boots.syslog).toBeUndefined();
  });

  it('is taken at no address when another program has the port at one of them, and the log says which', async () => {
    const bound = (address: string, port: number) =>
      new Promise<Socket>((resolve, reject) => {
        const socket = createSocket(address.includes(':') ? 'udp6' : 'udp4');
        socket.once('error', reject);
        socket.bind({ address, port }, () => resolve(socket));
      });
    const closed = (socket: Socket) => new Promise<void>((resolve) => socket.close(() => resolve()));
    const other = await bound('::1', 0);
    const { port } = other.address();
    const lines: string[] = [];
    const log = { ...silentLogger, warn: (line: string) => void lines.push(line) };
    const { boots } = await start({ log, settings: { PUBLIC_IP6: '::1', BOOTS_SYSLOG_PORT: port } });
    expect(boots.syslog).toBeUndefined();
    expect(lines.filter((line) => line.startsWith('no syslog'))).toEqual([
      expect.stringMatching(`on ::1, port ${port}: .*EADDRINUSE.*, so none is taken at the other addresses either`),
    ]);
    await closed(await bound('127.0.0.1', port));
    await closed(other);
  });
});
