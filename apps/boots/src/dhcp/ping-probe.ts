import { readFile } from 'node:fs/promises';
import { getSystemErrorName } from 'node:util';
import { parseMac } from '@tinkerbell/domain';
import type { Logger } from '../logger';
import type { Metrics } from '../metrics';
import { type Answer, NoProbe, Probe } from './probe';

type Koffi = (typeof import('koffi'))['default'];
type Call = (...args: readonly (number | Uint8Array)[]) => number;

/** A host on the same wire answers within a millisecond; ARP repeats itself after a second, which nobody waits for. */
const timeoutMs = 300;
const pollMs = 5;
/** At once. The kernel keeps some hundred addresses that it looks for. */
const maxPending = 256;
const dontWait = 0x40;
const echo = { request: 8, reply: 0 } as const;

interface Pending {
  readonly sequence: number;
  readonly until: number;
  readonly done: (isThere: boolean) => void;
}

/** Node has no raw sockets. */
export async function openProbe({ log, metrics }: { log: Logger; metrics: Metrics }): Promise<Probe> {
  try {
    return PingProbe.open((await import('koffi')).default, metrics);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    log.warn(`nobody is asked for addresses before they are offered: ${reason} (it takes Linux and CAP_NET_RAW)`);
    return new NoProbe();
  }
}

/**
 * ICMP echo through one raw socket, which makes the kernel ask by ARP first: a host that drops the echo has been found out by then.
 * Whoever waits does not keep others waiting.
 */
class PingProbe extends Probe {
  /** One question for all who wait for the same address. */
  readonly #asking = new Map<string, Promise<Answer | undefined>>();
  readonly #pending = new Map<string, Pending>();
  readonly #inbox = new Uint8Array(2048);
  readonly #id = process.pid & 0xffff;
  #sequence = 0;
  #timer: NodeJS.Timeout | undefined;

  private constructor(
    private readonly calls: { readonly sendto: Call; readonly recv: Call; readonly close: Call },
    private readonly fd: number,
    private readonly metrics: Metrics,
  ) {
    super();
  }

  static open(koffi: Koffi, metrics: Metrics): PingProbe {
    if (process.platform !== 'linux') throw new Error(`not on ${process.platform}`);
    const c = koffi.load(null);
    const socket = c.func('int socket(int, int, int)') as Call;
    const [ipv4, raw, nonBlocking, closeOnExec, icmp] = [2, 3, 0o4000, 0o2000000, 1];
    const fd = socket(ipv4, raw | nonBlocking | closeOnExec, icmp);
    if (fd < 0) throw new Error(`raw socket: ${getSystemErrorName(-koffi.errno())}`);
    const calls = {
      sendto: c.func('int sendto(int, const void *, size_t, int, const void *, unsigned int)') as Call,
      recv: c.func('int recv(int, _Out_ uint8_t *, size_t, int)') as Call,
      close: c.func('int close(int)') as Call,
    };
    return new PingProbe(calls, fd, metrics);
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

  async #ask(ip: string): Promise<Answer | undefined> {
    const known = await neighbour(ip);
    const isThere = await this.#echo(ip);
    const mac = (await neighbour(ip)) ?? null;
    if (isThere) return { method: 'icmp', mac };
    // An entry that was there before may be of a host that left.
    return known === undefined && mac !== null ? { method: 'arp', mac } : undefined;
  }

  close(): Promise<void> {
    clearTimeout(this.#timer);
    for (const { done } of this.#pending.values()) done(false);
    this.#pending.clear();
    this.calls.close(this.fd);
    return Promise.resolve();
  }

  #echo(ip: string): Promise<boolean> {
    const sequence = (this.#sequence = (this.#sequence + 1) & 0xffff);
    const message = echoRequest(this.#id, sequence);
    // sockaddr_in: family in the byte order of the machine, then port and address in that of the network.
    const to = Uint8Array.of(2, 0, 0, 0, ...ip.split('.').map(Number), ...new Uint8Array(8));
    this.calls.sendto(this.fd, message, message.length, dontWait, to, to.length);
    return new Promise((resolve) => {
      this.#pending.set(ip, { sequence, until: performance.now() + timeoutMs, done: resolve });
      this.#timer ??= setTimeout(() => this.#poll(), pollMs);
    });
  }

  #poll(): void {
    this.#timer = undefined;
    for (let length = this.#receive(); length > 0; length = this.#receive())
      this.#take(this.#inbox.subarray(0, length));
    const now = performance.now();
    for (const [ip, { until, done }] of this.#pending) {
      if (until > now) break;
      this.#pending.delete(ip);
      done(false);
    }
    if (this.#pending.size > 0) this.#timer = setTimeout(() => this.#poll(), pollMs);
  }

  #receive(): number {
    return this.calls.recv(this.fd, this.#inbox, this.#inbox.length, dontWait);
  }

  /** The whole IP datagram (raw(7)); all ICMP of this host comes by here. */
  #take(datagram: Uint8Array): void {
    const at = ((datagram[0] ?? 0) & 0xf) * 4;
    const view = new DataView(datagram.buffer, datagram.byteOffset, datagram.length);
    if (datagram.length < at + 8 || datagram[at] !== echo.reply || view.getUint16(at + 4) !== this.#id) return;
    const ip = datagram.subarray(12, 16).join('.');
    const pending = this.#pending.get(ip);
    if (pending?.sequence !== view.getUint16(at + 6)) return;
    this.#pending.delete(ip);
    pending.done(true);
  }
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

/** The MAC that ARP found for an address; undefined: none, or it is not on a wire of ours. */
async function neighbour(ip: string): Promise<string | undefined> {
  const table = await readFile('/proc/net/arp', 'utf8').catch(() => '');
  const [, , flags = '', mac = ''] =
    table
      .split('\n')
      .find((line) => line.startsWith(`${ip} `))
      ?.split(/ +/) ?? [];
  return (Number(flags) & 2) === 0 ? undefined : parseMac(mac);
}
