import { networkInterfaces } from 'node:os';
import { getSystemErrorName } from 'node:util';
import type { Logger } from '../logger';
import type { Metrics } from '../metrics';
import { arpProbe, arpProtocol, arpSender, wireWith } from './arp';
import type { ModeRules } from './dhcp-mode';
import { type Answer, NoProbe, Probe } from './probe';

type Koffi = (typeof import('koffi'))['default'];
type Call = (...args: readonly (number | string | Uint8Array)[]) => number;
interface Calls {
  readonly sendto: Call;
  readonly recv: Call;
  readonly close: Call;
  readonly indexOf: Call;
}

/** A host on the same wire answers within a millisecond. */
const timeoutMs = 300;
const pollMs = 5;
/** At once. The kernel keeps some hundred addresses that it looks for. */
const maxPending = 256;
/** Of a flood nobody waits for the end. */
const mostAtOnce = 1024;
const dontWait = 0x40;
const echo = { request: 8, reply: 0 } as const;
const [ipv4, packets] = [2, 17];
const [raw, datagrams, nonBlocking, closeOnExec, icmp] = [3, 2, 0o4000, 0o2000000, 1];

interface Pending {
  readonly sequence: number;
  readonly until: number;
  readonly done: (answer: Answer | undefined) => void;
}

/** Node has no raw sockets. */
export async function openProbe({
  log,
  metrics,
  modes,
}: {
  log: Logger;
  metrics: Metrics;
  modes: Pick<ModeRules, 'subnets'>;
}): Promise<Probe> {
  try {
    return PingProbe.open((await import('koffi')).default, metrics, modes);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    log.warn(`nobody is asked for addresses before they are offered: ${reason} (it takes Linux and CAP_NET_RAW)`);
    return new NoProbe();
  }
}

/**
 * Whoever is on one of our wires is asked by ARP, which no firewall drops; everybody by ICMP echo, as a second question that may get through
 * and as the only one behind a router. Whoever waits does not keep others waiting.
 */
class PingProbe extends Probe {
  readonly asks = true;
  /** One question for all who wait for the same address. */
  readonly #asking = new Map<string, Promise<Answer | undefined>>();
  readonly #pending = new Map<string, Pending>();
  readonly #inbox = new Uint8Array(2048);
  readonly #id = process.pid & 0xffff;
  #sequence = 0;
  #timer: NodeJS.Timeout | undefined;

  private constructor(
    private readonly calls: Calls,
    private readonly sockets: { readonly icmp: number; readonly arp: number },
    private readonly metrics: Metrics,
    private readonly rules: Pick<ModeRules, 'subnets'>,
  ) {
    super();
  }

  static open(koffi: Koffi, metrics: Metrics, rules: Pick<ModeRules, 'subnets'>): PingProbe {
    if (process.platform !== 'linux') throw new Error(`not on ${process.platform}`);
    const c = koffi.load(null);
    const socket = c.func('int socket(int, int, int)') as Call;
    const open = (family: number, kind: number, protocol: number) => {
      const fd = socket(family, kind | nonBlocking | closeOnExec, protocol);
      if (fd < 0) throw new Error(`raw socket: ${getSystemErrorName(-koffi.errno())}`);
      return fd;
    };
    const calls = {
      sendto: c.func('int sendto(int, const void *, size_t, int, const void *, unsigned int)') as Call,
      recv: c.func('int recv(int, _Out_ uint8_t *, size_t, int)') as Call,
      close: c.func('int close(int)') as Call,
      indexOf: c.func('unsigned int if_nametoindex(const char *)') as Call,
    };
    const sockets = { icmp: open(ipv4, raw, icmp), arp: open(packets, datagrams, networkOrder(arpProtocol)) };
    return new PingProbe(calls, sockets, metrics, rules);
  }

  ask(ip: string): Promise<Answer | undefined> {
    const running = this.#asking.get(ip);
    if (running) return running;
    if (this.#asking.size >= maxPending) {
      this.metrics.count('dhcp_probes_skipped_total', {});
      return Promise.resolve(undefined);
    }
    const asking = this.#ask(ip).finally(() => this.#asking.delete(ip));
    this.#asking.set(ip, asking);
    return asking;
  }

  close(): Promise<void> {
    clearTimeout(this.#timer);
    for (const { done } of this.#pending.values()) done(undefined);
    this.#pending.clear();
    this.calls.close(this.sockets.icmp);
    this.calls.close(this.sockets.arp);
    return Promise.resolve();
  }

  #ask(ip: string): Promise<Answer | undefined> {
    // What came while nobody waited is old, and would leave no room for the answer.
    if (this.#pending.size === 0) this.#drain();
    const sequence = (this.#sequence = (this.#sequence + 1) & 0xffff);
    this.#askByArp(ip);
    // sockaddr_in: family in the byte order of the machine, then port and address in that of the network.
    const to = Uint8Array.of(ipv4, 0, 0, 0, ...ip.split('.').map(Number), ...new Uint8Array(8));
    const message = echoRequest(this.#id, sequence);
    this.calls.sendto(this.sockets.icmp, message, message.length, dontWait, to, to.length);
    return new Promise((resolve) => {
      this.#pending.set(ip, { sequence, until: performance.now() + timeoutMs, done: resolve });
      this.#timer ??= setTimeout(() => this.#poll(), pollMs);
    });
  }

  #askByArp(ip: string): void {
    const wire = wireWith(ip, networkInterfaces(), this.rules);
    const index = wire ? this.calls.indexOf(wire.name) : 0;
    if (!wire || index === 0) return;
    const question = arpProbe(wire.mac, ip);
    const to = everybodyOn(index);
    this.calls.sendto(this.sockets.arp, question, question.length, dontWait, to, to.length);
  }

  #poll(): void {
    this.#timer = undefined;
    this.#takeAll();
    const now = performance.now();
    for (const [ip, { until, done }] of this.#pending) {
      if (until > now) break;
      this.#pending.delete(ip);
      done(undefined);
    }
    if (this.#pending.size > 0) this.#timer = setTimeout(() => this.#poll(), pollMs);
  }

  #takeAll(): void {
    // ARP first: it tells the MAC.
    this.#takeFrom(this.sockets.arp, (packet) => this.#takeArp(packet));
    this.#takeFrom(this.sockets.icmp, (datagram) => this.#takeEcho(datagram));
  }

  #drain(): void {
    for (const fd of Object.values(this.sockets)) this.#takeFrom(fd, () => undefined);
  }

  #takeFrom(fd: number, take: (bytes: Uint8Array) => void): void {
    for (let taken = 0; taken < mostAtOnce; taken++) {
      const length = this.#receive(fd);
      if (length <= 0) return;
      take(this.#inbox.subarray(0, length));
    }
  }

  #receive(fd: number): number {
    return this.calls.recv(fd, this.#inbox, this.#inbox.length, dontWait);
  }

  /** All that others say on any wire comes by here. */
  #takeArp(packet: Uint8Array): void {
    const sender = arpSender(packet);
    if (sender) this.#answered(sender.ip, { method: 'arp', mac: sender.mac });
  }

  /** The whole IP datagram (raw(7)); all ICMP of this host comes by here. */
  #takeEcho(datagram: Uint8Array): void {
    const at = ((datagram[0] ?? 0) & 0xf) * 4;
    const view = new DataView(datagram.buffer, datagram.byteOffset, datagram.length);
    if (datagram.length < at + 8 || datagram[at] !== echo.reply || view.getUint16(at + 4) !== this.#id) return;
    const ip = datagram.subarray(12, 16).join('.');
    if (this.#pending.get(ip)?.sequence === view.getUint16(at + 6)) this.#answered(ip, { method: 'icmp', mac: null });
  }

  #answered(ip: string, answer: Answer): void {
    const pending = this.#pending.get(ip);
    this.#pending.delete(ip);
    pending?.done(answer);
  }
}

/** sockaddr_ll (packet(7)): in the byte order of the machine but for the protocol. */
function everybodyOn(index: number): Uint8Array {
  const to = new Uint8Array(20);
  new Uint16Array(to.buffer, 0, 2).set([packets, networkOrder(arpProtocol)]);
  new Int32Array(to.buffer, 4, 1)[0] = index;
  to.set([6, 255, 255, 255, 255, 255, 255], 11);
  return to;
}

/** htons(3). */
function networkOrder(value: number): number {
  return new Uint16Array(Uint8Array.of(value >> 8, value & 0xff).buffer)[0] ?? 0;
}

function echoRequest(id: number, sequence: number): Uint8Array {
  const message = new Uint8Array(16);
  const view = new DataView(message.buffer);
  message[0] = echo.request;
  view.setUint16(4, id);
  view.setUint16(6, sequence);
  // RFC 1071; the payload is zero.
  const sum = (echo.request << 8) + id + sequence;
  view.setUint16(2, ~((sum & 0xffff) + (sum >>> 16)) & 0xffff);
  return message;
}
