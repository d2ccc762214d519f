import { defaultLimits, negotiate, type Negotiated, type TransferLimits } from './negotiate';
import { tftpError, type TftpPacket, type TftpRequest } from './packet';

export type TransferOutcome =
  | { readonly result: 'completed'; readonly bytes: number; readonly retries: number }
  /** The client said it does not want more; firmware asks for the size this way. */
  | { readonly result: 'aborted'; readonly code: number; readonly message: string }
  | { readonly result: 'gave-up'; readonly bytes: number }
  /** It answers, and takes hardly anything. */
  | { readonly result: 'too-slow'; readonly bytes: number }
  | { readonly result: 'refused'; readonly code: number; readonly message: string };

export type TransferEffect =
  | { readonly type: 'send'; readonly packet: TftpPacket }
  /** DATA of these blocks, instead of those that were asked for before and are not on their way yet; `blockBytes` says what is in them. */
  | { readonly type: 'blocks'; readonly from: number; readonly to: number }
  /** Replaces the timer that is running; feed `timeout` when it is over. */
  | { readonly type: 'timer'; readonly ms: number }
  | { readonly type: 'end'; readonly outcome: TransferOutcome };

export type TransferEvent =
  | { readonly type: 'packet'; readonly packet: TftpPacket }
  /** The client sent its request again. */
  | { readonly type: 'request' }
  | { readonly type: 'timeout' }
  /** It took less than `minBytes` in `progressMs`. */
  | { readonly type: 'too-slow' };

/** Sending one file to one client. Blocks are counted from 1 without end; the wire carries the lower 16 bits. */
export interface Transfer {
  readonly phase: 'options' | 'data' | 'ended';
  /** Bytes of the file as it goes over the wire. */
  readonly size: number;
  readonly limits: TransferLimits;
  readonly terms: Negotiated;
  /** The client answered: its address is its own. */
  readonly heard: boolean;
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

/**
 * Answers a read request for a file of `size` bytes (in the mode of the request): with an OACK, with the first blocks, or with an
 * error. Writes are refused.
 */
export function startTransfer(request: TftpRequest, size: number, limits = defaultLimits): Step {
  const terms = negotiate(request.options, size, limits);
  const counts = { acked: 0, sent: 0, retries: 0, totalRetries: 0 };
  const idle = { size, limits, terms, ...counts, heard: false, repeated: false };
  if (request.op === 'wrq') return refuse(idle, tftpError.accessViolation, 'this server is read-only');
  if (request.mode !== 'octet' && request.mode !== 'netascii') {
    return refuse(idle, tftpError.illegalOperation, `mode ${request.mode} is not supported`);
  }
  return answer({ ...idle, phase: terms.accepted.size === 0 ? 'data' : 'options' });
}

/** Where block `block` lies in the file. */
export function blockBytes({ size, terms }: Transfer, block: number): { readonly from: number; readonly to: number } {
  const from = (block - 1) * terms.blockSize;
  return { from, to: Math.min(from + terms.blockSize, size) };
}

/** Bytes of the file that the client is known to have. */
export function takenBytes({ size, acked, terms }: Transfer): number {
  return Math.min(acked * terms.blockSize, size);
}

export function stepTransfer(transfer: Transfer, event: TransferEvent): Step {
  if (transfer.phase === 'ended') return { transfer, effects: [] };
  if (event.type === 'timeout') return onTimeout(transfer);
  if (event.type === 'too-slow') return onTooSlow(transfer);
  if (event.type === 'request') return transfer.heard ? { transfer, effects: [] } : answer(transfer);
  const { packet } = event;
  if (packet.op === 'error') {
    return end(transfer, { result: 'aborted', code: packet.code, message: packet.message });
  }
  return packet.op === 'ack' ? acknowledge(transfer, packet.block) : { transfer, effects: [] };
}

/** What `stepTransfer` does with an ACK; `wireBlock`: as it came. */
export function acknowledge(transfer: Transfer, wireBlock: number): Step {
  if (transfer.phase === 'ended') return { transfer, effects: [] };
  if (transfer.phase === 'options') {
    return wireBlock === 0 ? nextWindow(transfer, 0) : { transfer, effects: [] };
  }
  // The only block in (acked, sent] with these 16 bits: a window never spans 65536 blocks.
  const ahead = (wireBlock - transfer.acked) & 0xffff;
  const block = transfer.acked + ahead;
  if (ahead === 0) return onRepeatedAck(transfer);
  if (block > transfer.sent) return { transfer, effects: [] };
  if (block === lastBlock(transfer.size, transfer.terms)) {
    return end(transfer, { result: 'completed', bytes: transfer.size, retries: transfer.totalRetries });
  }
  return nextWindow(transfer, block);
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
  const { heard, limits, retries } = transfer;
  if (retries >= (heard ? limits.maxRetries : limits.maxUnansweredRetries)) {
    return end(transfer, { result: 'gave-up', bytes: takenBytes(transfer) });
  }
  return answer({
    ...transfer,
    retries: retries + 1,
    totalRetries: transfer.totalRetries + 1,
    repeated: false,
  });
}

/** Who never answered is not told: its address may be forged. */
function onTooSlow(transfer: Transfer): Step {
  const bytes = takenBytes(transfer);
  if (!transfer.heard) return end(transfer, { result: 'gave-up', bytes });
  const ended = end(transfer, { result: 'too-slow', bytes });
  const packet: TftpPacket = { op: 'error', code: tftpError.undefined, message: 'too slow' };
  return { transfer: ended.transfer, effects: [{ type: 'send', packet }, ...ended.effects] };
}

function answer(transfer: Transfer): Step {
  if (transfer.phase === 'data') return sendWindow(transfer);
  return { transfer, effects: [{ type: 'send', packet: oack(transfer) }, timer(transfer)] };
}

/** After every good ACK. Written out: spreading takes fifty times as long. */
function nextWindow({ size, limits, terms, totalRetries }: Transfer, acked: number): Step {
  const sent = windowEnd(size, terms, acked);
  const moved: Transfer = {
    phase: 'data',
    size,
    limits,
    terms,
    heard: true,
    acked,
    sent,
    retries: 0,
    totalRetries,
    repeated: false,
  };
  return { transfer: moved, effects: [{ type: 'blocks', from: acked + 1, to: sent }, timer(moved)] };
}

function sendWindow(transfer: Transfer): Step {
  const { acked } = transfer;
  const sent = windowEnd(transfer.size, transfer.terms, acked);
  const moved = { ...transfer, sent };
  return { transfer: moved, effects: [{ type: 'blocks', from: acked + 1, to: sent }, timer(moved)] };
}

function windowEnd(size: number, terms: Negotiated, acked: number): number {
  return Math.min(acked + terms.windowSize, lastBlock(size, terms));
}

/** The block that is shorter than the others, possibly empty, ends the file. */
function lastBlock(size: number, terms: Negotiated): number {
  return Math.floor(size / terms.blockSize) + 1;
}

function oack({ terms }: Transfer): TftpPacket {
  return { op: 'oack', options: terms.accepted };
}

function timer({ terms, limits, retries }: Transfer): TransferEffect {
  return {
    type: 'timer',
    ms: Math.min(
      retries === 0 ? terms.timeoutMs : terms.timeoutMs * 2 ** retries,
      Math.max(limits.maxTimeoutMs, terms.timeoutMs),
    ),
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
