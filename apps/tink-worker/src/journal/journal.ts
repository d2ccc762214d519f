import {
  closeSync,
  fstatSync,
  fsyncSync,
  ftruncateSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';

/** A report that has to reach the server, as it was written down before the first try to send it. */
export interface JournalReport {
  readonly id: string;
  readonly subject: string;
  readonly body: object;
  /** What is left to do once the server has it; absent: nothing. */
  readonly after?: unknown;
}

type Entry =
  | { readonly t: 'report'; readonly report: JournalReport }
  /** The bus acknowledged the report. */
  | { readonly t: 'acked'; readonly id: string }
  /** What had to be done after the report is done. */
  | { readonly t: 'closed'; readonly id: string }
  /** From here on a container of that name may have existed, and so have changed something. */
  | { readonly t: 'effect'; readonly container: string }
  /** With what the permit for a destructive action is asked for, again and again the same. */
  | { readonly t: 'nonce'; readonly container: string; readonly nonce: string }
  /** The attempt has a `/workflow` of its own. */
  | { readonly t: 'own-folder'; readonly container: string };

export class MalformedJournalError extends Error {
  override readonly name = 'MalformedJournalError';
  constructor(file: string, line: number, reason: string) {
    super(
      `${file} line ${line}: ${reason}; it says what this worker already ran, so look at it before moving it out of the way`,
    );
  }
}

const compactAboveBytes = 1024 * 1024;
const keptReports = 500;

/**
 * What this worker did, in one append-only file of JSON lines; every append is on the disk (fsync) before it returns. A last line
 * without its newline was torn by a crash and never happened.
 */
export class Journal {
  private readonly reports = new Map<string, JournalReport>();
  private readonly acked = new Set<string>();
  private readonly closed = new Set<string>();
  private readonly effects = new Set<string>();
  private readonly nonces = new Map<string, string>();
  private readonly ownFolders = new Set<string>();

  private constructor(
    private readonly file: string,
    private readonly fd: number,
  ) {}

  /** Creates the folder (0700) and the file as needed. Throws MalformedJournalError. */
  static open(directory: string): Journal {
    mkdirSync(directory, { recursive: true, mode: 0o700 });
    const file = join(directory, 'journal.ndjson');
    const probe = new Journal(file, openSync(file, 'a', 0o600));
    const text = readFileSync(file, 'utf8');
    const whole = text.slice(0, text.lastIndexOf('\n') + 1);
    whole.split('\n').forEach((line, i) => line !== '' && probe.apply(parseEntry(file, i + 1, line)));
    if (whole.length === text.length && text.length <= compactAboveBytes) return probe;
    closeSync(probe.fd);
    return probe.rewrite(directory);
  }

  append(...entries: readonly Entry[]): void {
    if (entries.length === 0) return;
    const bytes = Buffer.from(entries.map((entry) => `${JSON.stringify(entry)}\n`).join(''));
    let written = 0;
    try {
      while (written < bytes.length) written += writeSync(this.fd, bytes, written);
    } catch (error) {
      // On a full disk a part of a line may be there; with the next line behind it nobody could read the file again.
      ftruncateSync(this.fd, fstatSync(this.fd).size - written);
      throw error;
    }
    fsyncSync(this.fd);
    entries.forEach((entry) => this.apply(entry));
  }

  report(id: string): JournalReport | undefined {
    return this.reports.get(id);
  }

  isAcked(id: string): boolean {
    return this.acked.has(id);
  }

  hadEffect(container: string): boolean {
    return this.effects.has(container);
  }

  nonce(container: string): string | undefined {
    return this.nonces.get(container);
  }

  hasOwnFolder(container: string): boolean {
    return this.ownFolders.has(container);
  }

  /** Every report, oldest first. */
  all(): readonly JournalReport[] {
    return [...this.reports.values()];
  }

  /** Oldest first. */
  unsent(): readonly JournalReport[] {
    return [...this.reports.values()].filter(({ id }) => !this.acked.has(id));
  }

  /** Reports whose after-steps are not known to be done. Oldest first. */
  unclosed(): readonly JournalReport[] {
    return [...this.reports.values()].filter(({ id, after }) => after !== undefined && !this.closed.has(id));
  }

  close(): void {
    closeSync(this.fd);
  }

  private apply(entry: Entry): void {
    if (entry.t === 'report') this.reports.set(entry.report.id, entry.report);
    else if (entry.t === 'acked') this.acked.add(entry.id);
    else if (entry.t === 'closed') this.closed.add(entry.id);
    else if (entry.t === 'effect') this.effects.add(entry.container);
    else if (entry.t === 'nonce') this.nonces.set(entry.container, entry.nonce);
    else this.ownFolders.add(entry.container);
  }

  /** Writes a shorter file beside the old one and swaps: what is still open, and the latest of what is done. */
  private rewrite(directory: string): Journal {
    const all = [...this.reports.values()];
    const kept = all.filter(
      (report, i) =>
        i >= all.length - keptReports || this.unsent().includes(report) || this.unclosed().includes(report),
    );
    const fresh = `${this.file}.new`;
    const journal = new Journal(this.file, openSync(fresh, 'w', 0o600));
    journal.append(
      ...kept.map((report) => ({ t: 'report', report }) as const),
      ...kept.filter(({ id }) => this.acked.has(id)).map(({ id }) => ({ t: 'acked', id }) as const),
      ...kept.filter(({ id }) => this.closed.has(id)).map(({ id }) => ({ t: 'closed', id }) as const),
      ...[...this.effects].slice(-keptReports).map((container) => ({ t: 'effect', container }) as const),
      ...[...this.nonces].slice(-keptReports).map(([container, nonce]) => ({ t: 'nonce', container, nonce }) as const),
      ...[...this.ownFolders].slice(-keptReports).map((container) => ({ t: 'own-folder', container }) as const),
    );
    renameSync(fresh, this.file);
    syncDirectory(directory);
    return journal;
  }
}

function syncDirectory(directory: string): void {
  const fd = openSync(directory, 'r');
  fsyncSync(fd);
  closeSync(fd);
}

function parseEntry(file: string, line: number, text: string): Entry {
  let entry: Partial<Record<string, unknown>>;
  try {
    entry = JSON.parse(text) as Partial<Record<string, unknown>>;
  } catch {
    throw new MalformedJournalError(file, line, 'not JSON');
  }
  const { t, report, id, container, nonce } = entry ?? {};
  if (t === 'report' && isReport(report)) return { t, report };
  if ((t === 'acked' || t === 'closed') && typeof id === 'string') return { t, id };
  if ((t === 'effect' || t === 'own-folder') && typeof container === 'string') return { t, container };
  if (t === 'nonce' && typeof container === 'string' && typeof nonce === 'string') return { t, container, nonce };
  throw new MalformedJournalError(file, line, `unknown entry ${JSON.stringify(t)}`);
}

function isReport(value: unknown): value is JournalReport {
  const report = value as Partial<JournalReport> | null;
  return typeof report?.id === 'string' && typeof report.subject === 'string' && typeof report.body === 'object';
}
