import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import type { LogMark } from '@tinkerbell/event-store';

/**
 * How far this server has read the log, kept beside the log and not in it: what is cut off its end leaves no other trace. May be deleted
 * when the log was put back to an older state on purpose.
 */
export class LogMemory {
  private written: LogMark | undefined;

  constructor(readonly file: string) {}

  /** undefined: nothing is remembered, or the file is damaged. */
  read(): LogMark | undefined {
    try {
      const { position, hash } = JSON.parse(readFileSync(this.file, 'utf8')) as Partial<LogMark>;
      if (!Number.isSafeInteger(position) || typeof hash !== 'string') return undefined;
      this.written = { position: position ?? 0, hash };
      return this.written;
    } catch (error) {
      if (error instanceof SyntaxError || (error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
      throw error;
    }
  }

  /** Whole or not at all. */
  write(mark: LogMark): void {
    if (this.written?.position === mark.position) return;
    mkdirSync(dirname(this.file), { recursive: true });
    writeFileSync(`${this.file}.new`, `${JSON.stringify(mark)}\n`);
    renameSync(`${this.file}.new`, this.file);
    this.written = mark;
  }
}
