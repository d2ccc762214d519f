import { createSocket, type Socket } from 'node:dgram';
import { request as httpRequest } from 'node:http';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { loadConfig } from '@tinkerbell/config';
import {
  decodePacket,
  type DhcpPacket,
  encodePacket,
  option,
  requestedAddress,
  serverIdentifier,
} from '@tinkerbell/dhcp';
import type { AnyEvent, HardwareInterface, HardwareIp, HardwareRecord } from '@tinkerbell/events';
import { type EventStore, InMemoryEventStore, openReadModels } from '@tinkerbell/event-store';
import { subjects } from '@tinkerbell/messaging';
import { hardwareList, workflowList } from '@tinkerbell/projections';
import { BootsConfig } from './boots.config';
import { hardwareId, mac, requestOf, reservation } from './dhcp/requests.testing';
import { type Logger, silentLogger } from './logger';
import { type BootsPorts, startBoots } from './start-boots';
import type { MachineLog } from './syslog/machine-log';

/** The machine's address on the loopback interface, and the relay's. */
export const machineAddress = '127.0.0.5';
const relayAddress = '127.0.0.2';

export interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: string;
}

const hardwareStream = subjects.stream('hardware', hardwareId);

export type Bench = Awaited<ReturnType<typeof startBench>>;

interface BenchOptions {
  readonly interface?: Partial<HardwareInterface['netboot']>;
  /** Of the machine, `aa-bb-cc-dd-ee-ff`. */
  readonly mac?: string;
  readonly settings?: Readonly<Record<string, unknown>>;
  readonly store?: EventStore;
  readonly clock?: () => Date;
  readonly machineLog?: MachineLog;
  readonly log?: Logger;
  readonly events?: readonly AnyEvent[];
  readonly leadership?: BootsPorts['leadership'];
  readonly ends?: BootsPorts['ends'];
}

/** For specs: the whole service on the loopback interface, with a log in memory and a relay in front of it. */
export async function startBench(options: BenchOptions) {
  const folder = await mkdtemp(join(tmpdir(), 'boots-'));
  const folders = { ipxe: join(folder, 'ipxe'), osie: join(folder, 'osie'), images: join(folder, 'images') };
  for (const path of Object.values(folders)) await mkdir(path);
  await writeFile(join(folder, 'secret'), 'not for machines');
  const store = options.store ?? new InMemoryEventStore();
  await register(store, record(options.interface, options.mac));
  const rows = await openReadModels({
    store,
    file: ':memory:',
    projections: { hardware: hardwareList, workflows: workflowList },
  });
  const relay = await openRelay();
  const { machineLog, leadership, ends, log = silentLogger, clock = () => new Date() } = options;
  const more = { ...(machineLog && { machineLog }), ...(leadership && { leadership }), ...(ends && { ends }) };
  const ports = { store, ...rows.models, version: '1.2.3', clock, log, ...more };
  const boots = await startBoots(configOf(folders, relay.address().port, options.settings ?? {}), ports);
  const http = (path: string, request: HttpOptions = {}) => askHttp(boots.http.port, path, request);
  const dhcp = (packet: DhcpPacket) => askDhcp(relay, boots.dhcp?.port ?? 0, packet);
  return {
    ...{ store, boots, folders, http, dhcp },
    /** What is not answered. Resolves when boots is done with it: what comes through one socket is taken in order. */
    async relaySend(packet: DhcpPacket): Promise<void> {
      relay.send(encodePacket({ ...packet, giaddr: relayAddress, xid: nextXid++ }), boots.dhcp?.port ?? 0, '127.0.0.1');
      await dhcp(requestOf('discover'));
    },
    relay: (bytes: Uint8Array) => relay.send(bytes, boots.dhcp?.port ?? 0, '127.0.0.1'),
    /** DISCOVER's answer is taken for granted: straight to the ACK. */
    lease: (...options: readonly (readonly [number, Uint8Array])[]) =>
      dhcp(
        requestOf('request', [
          option(serverIdentifier, '127.0.0.1'),
          option(requestedAddress, machineAddress),
          ...options,
        ]),
      ),
    /** Appended by somebody else, seen by boots. */
    async append(stream: string, event: AnyEvent) {
      await append(store, stream, event);
      await rows.waitFor(await store.lastPosition(), 5000);
    },
    events: async (): Promise<readonly AnyEvent[]> =>
      [
        ...(await store.read<AnyEvent>(subjects.stream('lease', 'default'))).events,
        ...(await store.read<AnyEvent>(subjects.stream('boot', mac))).events,
      ].map(({ event }) => event),
    async close() {
      await boots.close();
      await rows.close();
      await new Promise<void>((resolve) => relay.close(() => resolve()));
      await rm(folder, { recursive: true, force: true });
    },
  };
}

function configOf(
  folders: Readonly<Record<'ipxe' | 'osie' | 'images', string>>,
  relayPort: number,
  settings: Readonly<Record<string, unknown>>,
): BootsConfig {
  return loadConfig(BootsConfig, {
    ...{ PUBLIC_IP: '127.0.0.1', BOOTS_DHCP_PORT: 0, BOOTS_TFTP_PORT: 0, BOOTS_HTTP_PORT: 0 },
    ...{ BOOTS_DHCP_RELAY_PORT: relayPort, TINK_CA_SHA256: 'ab'.repeat(32) },
    ...{ BOOTS_IPXE_DIR: folders.ipxe, BOOTS_OSIE_DIR: folders.osie, BOOTS_IMAGES_DIR: folders.images },
    ...settings,
  });
}

/** The machine's record, with another address. */
export function recordAt(
  address: string,
  over: Partial<HardwareIp> = {},
  more: Partial<HardwareInterface['dhcp']> = {},
): HardwareRecord {
  const { network, ...rest } = record();
  const ip = { address, netmask: '', gateway: '', family: address.includes(':') ? 6 : 4, ...over };
  const interfaces = network.interfaces.map(({ dhcp, netboot }) => ({ netboot, dhcp: { ...dhcp, ip, ...more } }));
  return { ...rest, network: { interfaces } };
}

function record(netboot: Partial<HardwareInterface['netboot']> = {}, card = mac): HardwareRecord {
  const ip = { address: machineAddress, netmask: '255.0.0.0', gateway: '', family: 4 };
  const base = reservation({ mac: card, ip });
  const machine = { ...base, netboot: { ...base.netboot, ...netboot } };
  return { id: hardwareId, version: 0, metadata: {}, network: { interfaces: [machine] } };
}

function register(store: EventStore, hardware: HardwareRecord): Promise<void> {
  return append(store, hardwareStream, { type: 'HardwareRegistered', v: 4, data: { hardware } });
}

async function append(store: EventStore, stream: string, event: AnyEvent): Promise<void> {
  const { head } = await store.read(stream);
  await store.append(stream, [event], { expected: head, metadata: { id: crypto.randomUUID(), actor: 'test' } });
}

async function openRelay(): Promise<Socket> {
  const socket = createSocket('udp4');
  await new Promise<void>((resolve, reject) => {
    socket.once('error', reject);
    socket.bind({ address: relayAddress, port: 0 }, resolve);
  });
  return socket;
}

let nextXid = 1;

/** Resolves with the reply to this packet. */
function askDhcp(relay: Socket, port: number, packet: DhcpPacket): Promise<DhcpPacket> {
  const asked = { ...packet, giaddr: relayAddress, xid: nextXid++ };
  return new Promise((resolve) => {
    const onMessage = (bytes: Uint8Array) => {
      const reply = decodePacket(bytes);
      if (reply.xid !== asked.xid) return;
      relay.off('message', onMessage);
      resolve(reply);
    };
    relay.on('message', onMessage);
    relay.send(encodePacket(asked), port, '127.0.0.1');
  });
}

interface HttpOptions {
  readonly method?: string;
  readonly from?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
}

function askHttp(
  port: number,
  path: string,
  { method = 'GET', from = machineAddress, headers = {}, body }: HttpOptions,
): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const host = from.includes(':') ? '::1' : '127.0.0.1';
    const options = { host, port, path, method, localAddress: from, headers, agent: false };
    const sent = httpRequest(options, (response) => {
      const parts: Buffer[] = [];
      response.on('data', (part: Buffer) => parts.push(part));
      response.once('end', () =>
        resolve({
          status: response.statusCode ?? 0,
          headers: response.headers,
          body: Buffer.concat(parts).toString('latin1'),
        }),
      );
      response.once('error', reject);
    });
    sent.once('error', reject);
    sent.end(body);
  });
}
