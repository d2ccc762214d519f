export { MalformedTftpError } from './errors';
export { defaultLimits, negotiate } from './negotiate';
export type { Negotiated, TransferLimits } from './negotiate';
export { toNetascii } from './netascii';
export { acknowledgedBlock, decodeTftp, encodeTftp, tftpError } from './packet';
export type { TftpOptions, TftpPacket, TftpRequest } from './packet';
export { acknowledge, blockBytes, startTransfer, stepTransfer, takenBytes } from './transfer';
export type { Step, Transfer, TransferEffect, TransferEvent, TransferOutcome } from './transfer';
