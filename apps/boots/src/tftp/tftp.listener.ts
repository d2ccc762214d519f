import { createSocket, type RemoteInfo, type Socket } from 'node:dgram';
import {
  decodeTftp,
  encodeTftp,
  MalformedTftpError,
  startTransfer,
  tftpError,
  type TftpPacket,
  type TftpRequest,
  type TransferLimits,
  type TransferOutcome,
} from '@tinkerbell/tftp';
import { type BootPrograms, roleOf } from '../boot-programs';
import type { Callers } from '../callers';
import type { Logger } from '../logger';
import type { Metrics } from '../metrics';
import { parseRequestedName } from '../requested-name';
import type { ServedFiles } from '../served-files';
import { RunningTransfer } from './running-transfer';

export interface TftpPorts {
  readonly address: string;
  /** 69; 0 = any free one. */
  readonly port: number;
  /** Answer from the port that was asked, for firewalls and address translation; else each transfer has a port of its own (RFC 1350 §4). */
  readonly singlePort: boolean;
  readonly limits: TransferLimits;
}

export interface TftpServices {
  readonly programs: BootPrograms;
  readonly callers: Callers;
  readonly served: ServedFiles;
  readonly metrics: Metrics;
  readonly log: Logger;
}

const maxTransfers = 2000;

export class TftpListener {
  /** By the client's address and port. */
  readonly #transfers = new Map<string, RunningTransfer>();
  readonly #starting = new Set<string>();
  #socket: Socket | undefined;

  constructor(
    private readonly services: TftpServices,
    private readonly ports: TftpPorts,
  ) {}

  /** Returns the port. */
  async open(): Promise<number> {
    const { address, port } = this.ports;
    const socket = await bound(address, port);
    socket.on('error', (error) => this.services.log.error(`TFTP socket: ${error.message}`));
    socket.on('message', (bytes, peer) => void this.#onMessage(bytes, peer));
    this.#socket = socket;
    return socket.address().port;
  }

  async close(): Promise<void> {
    for (const transfer of this.#transfers.values()) transfer.stop();
    this.#transfers.clear();
    const socket = this.#socket;
    this.#socket = undefined;
    if (socket) await new Promise<void>((resolve) => socket.close(() => resolve()));
  }

  async #onMessage(bytes: Uint8Array, peer: RemoteInfo): Promise<void> {
    const { metrics, log } = this.services;
    try {
      await this.#take(decodeTftp(bytes), peer);
    } catch (error) {
      const isMalformed = error instanceof MalformedTftpError;
      metrics.count('tftp_dropped_total', { reason: isMalformed ? 'malformed' : 'error' });
      log[isMalformed ? 'debug' : 'error'](`TFTP packet of ${peer.address} not answered: ${(error as Error).message}`);
    }
  }

  async #take(packet: TftpPacket, peer: RemoteInfo): Promise<void> {
    const key = `${peer.address}:${peer.port}`;
    if (packet.op !== 'rrq' && packet.op !== 'wrq') {
      const running = this.ports.singlePort ? this.#transfers.get(key) : undefined;
      if (running) running.take(packet);
      else this.services.metrics.count('tftp_dropped_total', { reason: 'no-transfer' });
      return;
    }
    // The same request again: our first answer is on its way, or lost and repeated soon.
    if (this.#transfers.has(key) || this.#starting.has(key)) return;
    if (this.#transfers.size + this.#starting.size >= maxTransfers) {
      this.services.metrics.count('tftp_dropped_total', { reason: 'too-many' });
      return;
    }
    this.#starting.add(key);
    try {
      await this.#serve(packet, peer, key);
    } finally {
      this.#starting.delete(key);
    }
  }

  async #serve(request: TftpRequest, peer: RemoteInfo, key: string): Promise<void> {
    const { programs, callers, served, metrics, log } = this.services;
    const wanted = parseRequestedName(request.file);
    if (!wanted) return this.#refuse(request, peer, tftpError.accessViolation, 'not a file of this server');
    const content = request.op === 'wrq' ? new Uint8Array() : await programs.read(wanted.name);
    if (!content) return this.#refuse(request, peer, tftpError.fileNotFound, `${wanted.name} not found`);
    // A MAC in the path proves nothing: anybody can write one there.
    const machine = callers.at(peer.address);
    const socket = this.ports.singlePort ? this.#socket : await bound(this.ports.address, 0);
    if (!socket) return;
    const startedAt = performance.now();
    const transfer = new RunningTransfer(socket, peer, !this.ports.singlePort, (outcome: TransferOutcome) => {
      this.#transfers.delete(key);
      metrics.count('tftp_transfers_total', { result: outcome.result });
      log.debug(`tftp ${wanted.name} to ${peer.address}: ${JSON.stringify(outcome)}`);
      if (outcome.result !== 'completed') return;
      const seconds = (performance.now() - startedAt) / 1000;
      const { name: file } = wanted;
      void served.record({ machine, protocol: 'tftp', role: roleOf(file), file, bytes: outcome.bytes, seconds });
    });
    this.#transfers.set(key, transfer);
    transfer.start(startTransfer(request, content, this.ports.limits));
  }

  #refuse(request: TftpRequest, peer: RemoteInfo, code: number, message: string): void {
    this.services.metrics.count('tftp_transfers_total', { result: 'refused' });
    this.services.log.debug(`tftp ${JSON.stringify(request.file)} refused to ${peer.address}: ${message}`);
    this.#socket?.send(encodeTftp({ op: 'error', code, message }), peer.port, peer.address, () => undefined);
  }
}

async function bound(address: string, port: number): Promise<Socket> {
  const socket = createSocket('udp4');
  await new Promise<void>((resolve, reject) => {
    socket.once('error', (cause) => {
      socket.close();
      reject(new Error(`cannot listen for TFTP on ${address}:${port}: ${cause.message}`, { cause }));
    });
    socket.bind({ address, port }, resolve);
  });
  socket.removeAllListeners('error');
  return socket;
}
