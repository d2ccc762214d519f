import { hash as digest } from 'node:crypto';
import type { StoredMessage } from '../envelope';

/** Of a log without commits. */
export const emptyLogHash = '';

/** What one commit adds to the rolling hash: its place, its time, its stream and its bytes. SHA-256, hex. */
export function leafOf({ position, at, stream }: Omit<StoredMessage, 'bytes'>, sha256: string): string {
  return sha256Of(`${position}\n${at}\n${stream}\n${sha256}\n`);
}

/** The rolling hash of the log after the commit with this leaf. */
export function roll(hash: string, leaf: string): string {
  return sha256Of(`${hash}\n${leaf}\n`);
}

export function sha256Of(data: string | Uint8Array): string {
  return digest('sha256', data, 'hex');
}
