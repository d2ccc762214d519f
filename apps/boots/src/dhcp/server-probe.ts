import { randomInt } from 'node:crypto';
import { createSocket } from 'node:dgram';
import {
  broadcastFlag,
  type DhcpPacket,
  encodePacket,
  messageType,
  noAddress,
  option,
  parameterRequestList,
} from '@tinkerbell/dhcp';
import { serverProbeMac } from '@tinkerbell/domain';
import type { Logger } from '../logger';
import { everybody } from './destination';
import type { DhcpDesk } from './dhcp-desk';

/** After a start; a switch may take its time to let the port through. */
const askedAtMs = [0, 2000, 6000];
const chaddr = Uint8Array.from(serverProbeMac.split('-'), (pair) => parseInt(pair, 16));
const chaddrAt = 28;

/**
 * Asks the wire for DHCP servers: a DISCOVER of a machine that is none. The answers come by broadcast, and are heard as those to any other
 * client are. No instance of boots answers it.
 */
export class ServerProbe {
  readonly #timers = new Set<NodeJS.Timeout>();

  constructor(
    /** Our own; the question leaves by the interface that has it. */
    private readonly address: string,
    private readonly log: Logger,
    private readonly serverPort = 67,
  ) {}

  /** Not waited for: who answers is told of when the answer comes. */
  start(): void {
    this.stop();
    for (const delay of askedAtMs) {
      const timer = setTimeout(() => this.#ask(delay / 1000), delay);
      timer.unref();
      this.#timers.add(timer);
    }
  }

  stop(): void {
    for (const timer of this.#timers) clearTimeout(timer);
    this.#timers.clear();
  }

  #ask(secs: number): void {
    const socket = createSocket('udp4');
    const failed = (error: Error) => {
      this.log.info(`other DHCP servers are not asked for: ${error.message}`);
      socket.close();
    };
    socket.once('error', failed);
    socket.bind({ address: this.address }, () => {
      socket.setBroadcast(true);
      const bytes = encodePacket(discover(secs), { maxSize: 576 });
      socket.send(bytes, this.serverPort, everybody, (error) => (error ? failed(error) : socket.close()));
    });
  }
}

/** Answers no such question, and everything else as `desk` does. */
export function deafToProbes(desk: Pick<DhcpDesk, 'answer' | 'overhear'>): Pick<DhcpDesk, 'answer' | 'overhear'> {
  return {
    answer: (bytes, from, answered) => (isServerProbe(bytes) ? answered() : desk.answer(bytes, from, answered)),
    overhear: (bytes) => desk.overhear(bytes),
  };
}

/** Whether a datagram is such a question, our own that comes back to us or another instance's. */
function isServerProbe(bytes: Uint8Array): boolean {
  for (let i = 0; i < chaddr.length; i++) if (bytes[chaddrAt + i] !== chaddr[i]) return false;
  return true;
}

function discover(secs: number): DhcpPacket {
  return {
    ...{ op: 'request', htype: 1, hops: 0, xid: randomInt(2 ** 32), secs, flags: broadcastFlag },
    ...{ ciaddr: noAddress, yiaddr: noAddress, siaddr: noAddress, giaddr: noAddress },
    ...{ chaddr, sname: '', file: '' },
    options: new Map([option(messageType, 'discover'), option(parameterRequestList, [1, 3, 54])]),
  };
}
