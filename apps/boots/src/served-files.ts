import { basename } from 'node:path';
import type { BootFileRole } from '@tinkerbell/events';
import { type Caller, plainAddress } from './callers';
import type { Logger } from './logger';
import type { BootLog } from './log/boot-log';
import type { Metrics } from './metrics';
import type { Strangers } from './recorder/strangers';

export interface ServedFile {
  /** undefined: nobody knows whose address it is. */
  readonly caller: Caller | undefined;
  readonly address: string;
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
    private readonly strangers: Pick<Strangers, 'isTold'>,
    private readonly metrics: Metrics,
    private readonly log: Logger,
  ) {}

  async record({ caller, file, seconds, ...how }: ServedFile): Promise<void> {
    const { protocol, role, bytes } = how;
    this.metrics.count('boot_files_total', { protocol, role });
    this.metrics.count('boot_file_bytes_total', { protocol, role }, bytes);
    if (!caller) return;
    const { hardwareId, mac } = caller;
    const rounded = Math.round(seconds * 1000) / 1000;
    try {
      if (hardwareId === null && !(await this.strangers.isTold(mac))) return;
      const served = { ...how, address: plainAddress(how.address), file: basename(file), seconds: rounded };
      await this.boots.record({ type: 'RecordFileServed', hardwareId, mac, ...served });
      this.log.info(`${protocol} ${file} to ${mac}: ${bytes} bytes in ${rounded} s`);
    } catch (error) {
      this.log.error(`${file} went to ${mac} and is not in the log: ${String(error)}`);
    }
  }
}
