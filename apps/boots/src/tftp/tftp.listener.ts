import { isIPv6 } from 'node:net';
import { basename } from 'node:path';
import { textOf } from '@tinkerbell/domain';
import {
  acknowledge,
  acknowledgedBlock,
  decodeTftp,
  encodeTftp,
  MalformedTftpError,
  startTransfer,
  type Step,
  stepTransfer,
  tftpError,
  type TftpPacket,
  type TftpRequest,
  type TransferEvent,
  type TransferLimits,
  type TransferOutcome,
} from '@tinkerbell/tftp';
import { type BootPrograms, roleOf, type StoredFile } from '../boot-programs';
import type { Callers } from '../callers';
import type { Content, SharedFiles } from '../files/shared-files';
import { describeError } from '../http/describe-error';
import { type LoaderFiles, OwnDiskError } from '../loaders/loader-files';
import { ScriptRefusedError } from '../ipxe/script-desk';
import { isOptional } from '../loaders/loader-path';
import type { Logger } from '../logger';
import type { Metrics } from '../metrics';
import { parseRequestedName } from '../requested-name';
import type { FailedRequests } from '../recorder/failed-requests';
import type { ServedFiles } from '../served-files';
import type { NativeBatch } from '../udp/native-batch';
import { QuickTurns } from '../udp/quick-turns';
import { PeerNumbers, Udp6Socket } from '../udp/udp6-socket';
import { type DatagramSocket, UdpSocket } from '../udp/udp-socket';
import { peerKey, Session } from './session';
import { type SessionLimits, Sessions } from './sessions';
import { largestText, textContent, TextFiles } from './text-files';
import { TransferPort } from './transfer-port';

export interface TftpPorts {
  readonly address: string;
  /** 69; 0 = any free one. */
  readonly port: number;
  /** Answer from the port that was asked, for firewalls and address translation; else from one of `transferPorts` (RFC 1350 §4). */
  readonly singlePort: boolean;
  /** Transfers go through them by turns; 0 = any free one. */
  readonly transferPorts: readonly number[];
  readonly sessions: SessionLimits;
  readonly limits: TransferLimits;
  /** Many packets a system call, where the platform can. */
  readonly native: NativeBatch | undefined;
}

export interface TftpServices {
  readonly programs: BootPrograms;
  readonly files: SharedFiles;
  readonly callers: Callers;
  readonly loaders: Pick<LoaderFiles, 'find'>;
  readonly served: ServedFiles;
  readonly failed: Pick<FailedRequests, 'note'>;
  readonly metrics: Metrics;
  readonly log: Logger;
}

const sweepMs = 100;
type Found = Refusal | { readonly name: string; readonly content: Content };
interface Asked {
  readonly request: TftpRequest;
  /** To tell a repeated request from a new one. */
  readonly text: string;
  readonly client: string;
}
interface Refusal {
  readonly code: number;
  readonly message: string;
  /** No failure, or noted already. */
  readonly isTold?: boolean;
}

export class TftpListener {
  readonly #sessions: Sessions;
  readonly #texts = new TextFiles();
  /** Of an IPv6 service. */
  readonly #peers: PeerNumbers | undefined;
  #main: DatagramSocket | undefined;
  #ports: TransferPort[] = [];
  #nextPort = 0;
  #quick: QuickTurns | undefined;
  /** As of the last packets or sweep: exact enough for waits of seconds, and asked for once a batch. */
  #nowMs = performance.now();
  #sweeper: NodeJS.Timeout | undefined;

  constructor(
    private readonly services: TftpServices,
    private readonly ports: TftpPorts,
  ) {
    this.#sessions = new Sessions(ports.sessions);
    this.#peers = isIPv6(ports.address) ? new PeerNumbers() : undefined;
  }

  /** Returns the port. */
  async open(): Promise<number> {
    const { port, singlePort, transferPorts } = this.ports;
    try {
      const main = await this.#openPort(port);
      this.#main = main.socket;
      if (singlePort) this.#ports = [main];
      else for (const other of transferPorts) this.#ports.push(await this.#openPort(other));
      this.#quick = this.#quickTurns();
      this.#sweeper = setInterval(() => this.#sweep(), sweepMs);
      return main.socket.port;
    } catch (error) {
      await this.close();
      throw error;
    }
  }

  #quickTurns(): QuickTurns | undefined {
    const sockets = this.#ports.map(({ socket }) => socket).filter((socket) => socket instanceof UdpSocket);
    return this.ports.native && new QuickTurns(this.ports.native, sockets, () => this.#sessions.size > 0);
  }

  async close(): Promise<void> {
    clearInterval(this.#sweeper);
    this.#quick?.stop();
    this.#quick = undefined;
    for (const session of this.#sessions) this.#remove(session);
    const sockets = new Set(this.#ports.map(({ socket }) => socket));
    if (this.#main) sockets.add(this.#main);
    this.#main = undefined;
    this.#ports = [];
    await Promise.all([...sockets].map((socket) => socket.close()));
  }

  async #openPort(number: number): Promise<TransferPort> {
    const { address, native } = this.ports;
    const { log, metrics } = this.services;
    const opening: Promise<DatagramSocket> = this.#peers
      ? Udp6Socket.open(address, number, this.#peers)
      : UdpSocket.open(address, number, native, () => port.run());
    const socket = await opening.catch((cause: Error) => {
      throw new Error(`cannot listen for TFTP on ${address}:${number}: ${cause.message}`, { cause });
    });
    const port = new TransferPort(socket, (session, error) => this.#unreadable(session, error));
    socket.listen(
      (bytes, ip, peerPort) => {
        try {
          const block = acknowledgedBlock(bytes);
          const session = block === undefined ? undefined : this.#sessions.get(peerKey(ip, peerPort));
          if (block === undefined || session?.port !== port) this.#take(port, decodeTftp(bytes), ip, peerPort);
          else this.#advance(session, acknowledge(session.transfer, block));
        } catch (error) {
          const isMalformed = error instanceof MalformedTftpError;
          const reason = isMalformed ? 'malformed' : 'error';
          metrics.count('tftp_dropped_total', { reason });
          this.#note(reason, (error as Error).message, ip);
          log[isMalformed ? 'debug' : 'error'](
            `TFTP packet of ${this.#textOf(ip)} not answered: ${(error as Error).message}`,
          );
        }
      },
      () => {
        port.run();
        this.#nowMs = performance.now();
      },
      (error) => log.error(`TFTP socket: ${error.message}`),
      () => this.#quick?.run(),
    );
    return port;
  }

  #take(port: TransferPort, packet: TftpPacket, ip: number, peerPort: number): void {
    const key = peerKey(ip, peerPort);
    if (packet.op === 'rrq' || packet.op === 'wrq') {
      if (port.socket === this.#main) this.#request(packet, ip, peerPort);
      else this.#drop('no-transfer');
      return;
    }
    const session = this.#sessions.get(key);
    if (session?.port === port) return this.#feed(session, { type: 'packet', packet });
    this.#drop('no-transfer');
    if (packet.op === 'error' || !this.#ports.includes(port)) return;
    // A late packet of a transfer that is over: an error would end the next one, which firmware begins from the same port.
    if (session || this.#sessions.isStarting(key) || this.#sessions.endedLately(key, performance.now())) return;
    // RFC 1350 §4: tell the stranger.
    this.#sendError(port.socket, { code: tftpError.unknownTransferId, message: 'unknown transfer' }, ip, peerPort);
  }

  #request(request: TftpRequest, ip: number, port: number): void {
    const key = peerKey(ip, port);
    const text = JSON.stringify([request.op, request.file, request.mode, ...request.options]);
    const running = this.#sessions.get(key);
    if (running) {
      const isSame = running.request === text;
      if (isSame && !running.transfer.heard) return this.#feed(running, { type: 'request' });
      // The network's copy of a request that was answered long ago; or the machine was reset, and does not get on any more.
      if (isSame && performance.now() - running.progressMs < this.ports.limits.timeoutMs) return;
      this.#end(running, { result: 'aborted', code: 0, message: 'the client asked anew' });
    }
    if (this.#sessions.isStarting(key)) return;
    const client = this.services.callers.clientAt(this.#textOf(ip));
    if (!this.#makeRoom(request, ip, client)) return;
    this.#sessions.start(key, client);
    this.#start({ request, text, client }, ip, port)
      .catch((error: unknown) => {
        this.#drop('error');
        this.services.log.error(`TFTP request of ${this.#textOf(ip)} not answered: ${String(error)}`);
      })
      .finally(() => this.#sessions.started(key, client));
  }

  /** Without room the request is dropped in silence: firmware repeats it, and gives up its boot at an error. */
  #makeRoom(request: TftpRequest, ip: number, client: string): boolean {
    const room = this.#sessions.roomFor(client);
    if (room === 'room') return true;
    const { full, displaceable } = room;
    if (displaceable) {
      this.#drop('displaced');
      this.#remove(displaceable);
      return true;
    }
    const reason = full === 'client' ? 'too-many-of-client' : 'too-many';
    this.#drop(reason);
    this.#note(reason, request.file, ip);
    return false;
  }

  async #start({ request, text, client }: Asked, ip: number, peerPort: number): Promise<void> {
    const found = await this.#find(request, this.#textOf(ip));
    if ('code' in found) return this.#refuse(request, found, ip, peerPort);
    const { name, content } = found;
    const port = this.#ports[this.#nextPort++ % this.#ports.length];
    if (!port) return content.release();
    const step = startTransfer(request, content.size, this.ports.limits);
    const session = new Session(
      port,
      { ip, port: peerPort, client },
      ...([text, name, content, step.transfer, performance.now()] as const),
    );
    this.#sessions.add(session);
    this.#apply(session, step);
    port.run();
  }

  async #find(request: TftpRequest, from: string): Promise<Found> {
    const { programs } = this.services;
    if (request.op === 'wrq') return { code: tftpError.accessViolation, message: 'this server is read-only' };
    const own = await this.#ofLoader(request, from);
    if (own) return own;
    const wanted = parseRequestedName(request.file);
    if (!wanted) return { code: tftpError.accessViolation, message: 'not a file of this server' };
    const { name } = wanted;
    const file = await programs.find(name);
    if (!file) return { code: tftpError.fileNotFound, message: `${name} not found` };
    return this.#contentOf(request, name, file);
  }

  /** What PXELINUX, GRUB and Raspberry Pis look for; undefined: the name is none of theirs. */
  async #ofLoader(request: TftpRequest, from: string): Promise<Found | undefined> {
    try {
      const own = await this.services.loaders.find(request.file, from);
      if (own === undefined) return undefined;
      const name = basename(request.file);
      return typeof own === 'string' ? { name, content: textContent(own) } : await this.#contentOf(request, name, own);
    } catch (error) {
      const described = describeError(error);
      if (!described || described.status >= 500) throw error;
      const code = described.status === 404 ? tftpError.fileNotFound : tftpError.accessViolation;
      const isTold = error instanceof ScriptRefusedError || error instanceof OwnDiskError;
      return { code, message: error instanceof Error ? error.message : String(error), isTold };
    }
  }

  async #contentOf(request: TftpRequest, name: string, file: StoredFile): Promise<Found> {
    const { files } = this.services;
    if (request.mode !== 'netascii') return { name, content: files.acquire(file) };
    if (file.size > largestText) {
      return { code: tftpError.undefined, message: `${name} is too large for netascii, ask for octet (binary)` };
    }
    return { name, content: await this.#texts.acquire(file) };
  }

  #feed(session: Session, event: TransferEvent): void {
    this.#advance(session, stepTransfer(session.transfer, event));
  }

  #advance(session: Session, step: Step): void {
    const before = session.transfer.acked;
    this.#apply(session, step);
    if (session.transfer.acked > before) session.progressMs = this.#nowMs;
  }

  #apply(session: Session, { transfer, effects }: Step): void {
    session.transfer = transfer;
    this.#sessions.note(session);
    for (const effect of effects) {
      if (effect.type === 'blocks') session.port.queue(session, effect.from, effect.to);
      else if (effect.type === 'timer') session.deadlineMs = this.#nowMs + effect.ms;
      else if (effect.type === 'end') this.#end(session, effect.outcome);
      else session.port.socket.send(session.peer.ip, session.peer.port, encodeTftp(effect.packet));
    }
  }

  #end(session: Session, outcome: TransferOutcome): void {
    const { metrics, log, callers, served } = this.services;
    const { name: file } = session;
    const address = this.#textOf(session.peer.ip);
    this.#remove(session);
    metrics.count('tftp_transfers_total', { result: outcome.result });
    log.debug(`tftp ${file} to ${address}: ${JSON.stringify(outcome)}`);
    if (outcome.result === 'gave-up' || outcome.result === 'too-slow')
      this.#note(outcome.result, `${file}, after ${outcome.bytes} bytes`, session.peer.ip);
    if (outcome.result !== 'completed') return;
    const seconds = (performance.now() - session.startedMs) / 1000;
    // A MAC in the path proves nothing: anybody can write one there.
    const caller = callers.who(address);
    const what = { role: roleOf(file), file, bytes: outcome.bytes, seconds };
    void served.record({ caller, address, protocol: 'tftp', ...what });
  }

  #remove(session: Session): void {
    session.isOver = true;
    session.content.release();
    this.#sessions.remove(session, performance.now());
  }

  #sweep(): void {
    const now = performance.now();
    this.#nowMs = now;
    for (const session of this.#sessions) {
      if (session.isTooSlow(now)) this.#feed(session, { type: 'too-slow' });
      if (session.isOver || session.deadlineMs > now) continue;
      // What the client is to answer has not left yet.
      if (session.isWaiting) session.deadlineMs = now + session.transfer.terms.timeoutMs;
      else this.#feed(session, { type: 'timeout' });
    }
    for (const port of this.#ports) port.run();
  }

  #unreadable(session: Session, error: Error): void {
    this.services.log.error(`tftp ${session.name}: ${error.message}`);
    const refusal = { code: tftpError.undefined, message: `${session.name} cannot be read` };
    this.#sendError(session.port.socket, refusal, session.peer.ip, session.peer.port);
    this.#end(session, { result: 'refused', ...refusal });
  }

  #refuse(request: TftpRequest, refusal: Refusal, ip: number, port: number): void {
    this.services.metrics.count('tftp_transfers_total', { result: 'refused' });
    this.services.log.debug(`tftp ${JSON.stringify(request.file)} refused to ${this.#textOf(ip)}: ${refusal.message}`);
    const reason = refusal.code === tftpError.fileNotFound ? 'no-such-file' : 'refused';
    if (!refusal.isTold && (reason === 'refused' || !isOptional(request.file)))
      this.#note(reason, `${request.file}: ${refusal.message}`, ip);
    if (this.#main) this.#sendError(this.#main, refusal, ip, port);
  }

  #sendError(socket: DatagramSocket, { code, message }: Refusal, ip: number, port: number): void {
    socket.send(ip, port, encodeTftp({ op: 'error', code, message }));
  }

  #note(reason: string, detail: string, ip: number): void {
    const source = this.#textOf(ip);
    const mac = this.services.callers.who(source)?.mac;
    this.services.failed.note({ protocol: 'tftp', reason, detail, source, ...(mac && { mac }) });
  }

  #textOf(ip: number): string {
    return this.#peers ? this.#peers.textOf(ip) : textOf(ip);
  }

  #drop(reason: string): void {
    this.services.metrics.count('tftp_dropped_total', { reason });
  }
}
