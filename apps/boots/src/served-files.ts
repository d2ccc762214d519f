import { basename } from 'node:path';
import type { BootFileRole } from '@tinkerbell/events';
import type { Logger } from './logger';
import type { BootLog } from './log/boot-log';
import type { Machine } from './machines';
import type { Metrics } from './metrics';

export interface ServedFile {
  readonly machine: Machine | undefined;
  readonly protocol: 'tftp' | 'http';
  readonly role: BootFileRole;
  readonly file: string;
  readonly bytes: number;
  readonly seconds: number;
}

/** Remembers files that went out whole. The file is with the machine already, so a log that is away costs the fact, not the boot. */
export class ServedFiles {
  constructor(
    private readonly boots: BootLog,
    private readonly metrics: Metrics,
    private readonly log: Logger,
  ) {}

  async record({ machine, protocol, role, file, bytes, seconds }: ServedFile): Promise<void> {
    this.metrics.count('boot_files_total', { protocol, role });
    this.metrics.count('boot_file_bytes_total', { protocol, role }, bytes);
    if (!machine) return;
    const { hardwareId, mac } = machine;
    const rounded = Math.round(seconds * 1000) / 1000;
    try {
      const served = { protocol, role, file: basename(file), bytes, seconds: rounded };
      await this.boots.record({ type: 'RecordFileServed', hardwareId, mac, ...served });
      this.log.info(`${protocol} ${file} to ${mac}: ${bytes} bytes in ${rounded} s`);
    } catch (error) {
      this.log.error(`${file} went to ${mac} and is not in the log: ${String(error)}`);
    }
  }
}
