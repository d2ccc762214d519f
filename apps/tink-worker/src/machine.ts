import { readFileSync } from 'node:fs';
import { cpus, hostname, release, totalmem } from 'node:os';
import type { ReadyReport } from '@tinkerbell/messaging';
import { uptimeSeconds } from './worker-log';

export const workerVersion = '0.1.0';

export function readMachine(): Omit<ReadyReport, 'bootId' | 'engine'> {
  return {
    workerVersion,
    hostname: hostname(),
    kernel: release(),
    node: process.version,
    cpus: cpus().length,
    memoryBytes: totalmem(),
    uptimeSeconds: uptimeSeconds(),
  };
}

/** The kernel's random number of this boot. */
export function readBootId(): string {
  return readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
}
