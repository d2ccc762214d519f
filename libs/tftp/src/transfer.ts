import { defaultLimits, negotiate, type Negotiated, type TransferLimits } from './negotiate';
import { toNetascii } from './netascii';
import { tftpError, type TftpPacket, type TftpRequest } from './packet';

export type TransferOutcome =
  | { readonly result: 'completed'; readonly bytes: number; readonly retries: number }
  /** The client said it does not want more; firmware asks for the size this way. */
  | { readonly result: 'aborted'; readonly code: number; readonly message: string }
  | { readonly result: 'gave-up'; readonly bytes: number }
  | { readonly result: 'refused'; readonly code: number; readonly message: string };

export type TransferEffect =
  | { readonly type: 'send'; readonly packet: TftpPacket }
  /** Replaces the timer that is running; feed `timeout` when it is over. */
  | { readonly type: 'timer'; readonly ms: number }
  | { readonly type: 'end'; readonly outcome: TransferOutcome };

export type TransferEvent = { readonly type: 'packet'; readonly packet: TftpPacket } | { readonly type: 'timeout' };

/** Sending one file to one client. Blocks are counted from 1 without end; the wire carries the lower 16 bits. */
export interface Transfer {
  readonly phase: 'options' | 'data' | 'ended';
  readonly content: Uint8Array;
  readonly limits: TransferLimits;
  readonly terms: Negotiated;
  /** Last block that the client has. */
  readonly acked: number;
  /** Last block sent. */
  readonly sent: number;
  /** Repetitions since the client last said something new. */
  readonly retries: number;
  readonly totalRetries: number;
  /** The window went out again on account of a repeated ACK; once is enough until there is progress. */
  readonly repeated: boolean;
}

export interface Step {
  readonly transfer: Transfer;
  readonly effects: readonly TransferEffect[];
}

/** Answers a read request for `content`: with an OACK, with the first blocks, or with an error. Writes are refused. */
export function startTransfer(request: TftpRequest, content: Uint8Array, limits = defaultLimits): Step {
  const body = request.mode === 'netascii' ? toNetascii(content) : content;
  const terms = negotiate(request.options, body.length, limits);
  const idle = { content: body, limits, terms, acked: 0, sent: 0, retries: 0, totalRetries: 0, repeated: false };
  if (request.op === 'wrq') return refuse(idle, tftpError.accessViolation, 'this server is read-only');
  if (request.mode !== 'octet' && request.mode !== 'netascii') {
    return refuse(idle, tftpError.illegalOperation, `mode ${request.mode} is not supported`);
  }
  if (terms.accepted.size === 0) return sendWindow({ ...idle, phase: 'data' });
  const transfer: Transfer = { ...idle, phase: 'options' };
  return { transfer, effects: [{ type: 'send', packet: oack(transfer) }, timer(transfer)] };
}

export function stepTransfer(transfer: Transfer, event: TransferEvent): Step {
  if (transfer.phase === 'ended') return { transfer, effects: [] };
  if (event.type === 'timeout') return onTimeout(transfer);
  const { packet } = event;
  if (packet.op === 'error') {
    return end(transfer, { result: 'aborted', code: packet.code, message: packet.message });
  }
  return packet.op === 'ack' ? onAck(transfer, packet.block) : { transfer, effects: [] };
}

function onAck(transfer: Transfer, wireBlock: number): Step {
  if (transfer.phase === 'options') {
    return wireBlock === 0 ? sendWindow(progressed({ ...transfer, phase: 'data' }, 0)) : { transfer, effects: [] };
  }
  // The only block in (acked, sent] with these 16 bits: a window never spans 65536 blocks.
  const ahead = (wireBlock - transfer.acked) & 0xffff;
  const block = transfer.acked + ahead;
  if (ahead === 0) return onRepeatedAck(transfer);
  if (block > transfer.sent) return { transfer, effects: [] };
  const acked = progressed(transfer, block);
  if (block === lastBlock(transfer)) {
    return end(acked, { result: 'completed', bytes: transfer.content.length, retries: transfer.totalRetries });
  }
  return sendWindow(acked);
}

/**
 * With single blocks a repeated ACK is never answered, or every packet from then on would go twice (the sorcerer's apprentice,
 * RFC 1123 §4.2.3.1). With windows it says that the window's first block is missing (RFC 7440 §4): send it again, once.
 */
function onRepeatedAck(transfer: Transfer): Step {
  if (transfer.terms.windowSize === 1 || transfer.repeated) return { transfer, effects: [] };
  return sendWindow({ ...transfer, repeated: true, totalRetries: transfer.totalRetries + 1 });
}

function onTimeout(transfer: Transfer): Step {
  if (transfer.retries >= transfer.limits.maxRetries) {
    const bytes = Math.min(transfer.acked * transfer.terms.blockSize, transfer.content.length);
    return end(transfer, { result: 'gave-up', bytes });
  }
  const again = {
    ...transfer,
    retries: transfer.retries + 1,
    totalRetries: transfer.totalRetries + 1,
    repeated: false,
  };
  if (again.phase === 'options') {
    return { transfer: again, effects: [{ type: 'send', packet: oack(again) }, timer(again)] };
  }
  return sendWindow(again);
}

function progressed(transfer: Transfer, acked: number): Transfer {
  return { ...transfer, acked, retries: 0, repeated: false };
}

function sendWindow(transfer: Transfer): Step {
  const { acked, terms, content } = transfer;
  const sent = Math.min(acked + terms.windowSize, lastBlock(transfer));
  const effects: TransferEffect[] = [];
  for (let block = acked + 1; block <= sent; block++) {
    const from = (block - 1) * terms.blockSize;
    const data = content.subarray(from, from + terms.blockSize);
    effects.push({ type: 'send', packet: { op: 'data', block: block & 0xffff, data } });
  }
  const moved = { ...transfer, sent };
  return { transfer: moved, effects: [...effects, timer(moved)] };
}

/** The block that is shorter than the others, possibly empty, ends the file. */
function lastBlock({ content, terms }: Transfer): number {
  return Math.floor(content.length / terms.blockSize) + 1;
}

function oack({ terms }: Transfer): TftpPacket {
  return { op: 'oack', options: terms.accepted };
}

function timer({ terms, limits, retries }: Transfer): TransferEffect {
  return {
    type: 'timer',
    ms: Math.min(terms.timeoutMs * 2 ** retries, Math.max(limits.maxTimeoutMs, terms.timeoutMs)),
  };
}

function refuse(idle: Omit<Transfer, 'phase'>, code: number, message: string): Step {
  const packet: TftpPacket = { op: 'error', code, message };
  const transfer: Transfer = { ...idle, phase: 'ended' };
  return {
    transfer,
    effects: [
      { type: 'send', packet },
      { type: 'end', outcome: { result: 'refused', code, message } },
    ],
  };
}

function end(transfer: Transfer, outcome: TransferOutcome): Step {
  return { transfer: { ...transfer, phase: 'ended' }, effects: [{ type: 'end', outcome }] };
}
