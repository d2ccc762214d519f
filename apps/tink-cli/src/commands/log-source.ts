import type { FileReport, TrustedKey } from '@tinkerbell/event-store/audit';
import { CommandError, UsageError, type Context } from '../cli-command';

export interface CheckOptions {
  readonly chunks: AsyncIterable<Uint8Array>;
  readonly keys: readonly TrustedKey[] | undefined;
  /** Check only what comes after this position. */
  readonly since?: number | undefined;
  /** Shown while it goes on: what is read. */
  readonly progress: string | undefined;
}

export interface Checked {
  readonly report: FileReport;
  /** Why the bytes ended early. */
  readonly broken: string | undefined;
}

const progressMs = 200;

/** Reads an export or a backup and checks it line by line. Throws CommandError when it is none. */
export async function checkLog(context: Context, { chunks, keys, since, progress }: CheckOptions): Promise<Checked> {
  // Loaded here: no other command needs it.
  const audit = await import('@tinkerbell/event-store/audit');
  let broken: string | undefined;
  const show = progressLine(context, progress);
  try {
    const verifier = new audit.FileVerifier(keys, since);
    try {
      for await (const line of audit.linesOf(chunks)) {
        verifier.take(line);
        show.commits(verifier.commits);
      }
    } catch (error) {
      if (!(error instanceof audit.DamagedFileError)) throw error;
      broken = error.message;
    }
    return { report: verifier.end(), broken };
  } catch (error) {
    const kinds = [audit.LogFileError, audit.AuditKeyError, audit.UnknownCheckpointError];
    if (error instanceof Error && kinds.some((kind) => error instanceof kind)) throw new CommandError(error.message);
    throw error;
  } finally {
    show.end();
  }
}

/** The keys in a PEM file; undefined when none is named. */
export async function trustedKeys(
  context: Context,
  path: string | undefined,
): Promise<readonly TrustedKey[] | undefined> {
  if (path === undefined) return undefined;
  const { AuditKeyError, publicKeysIn } = await import('@tinkerbell/event-store/audit');
  try {
    return publicKeysIn(await context.files.read(path)).map((publicKey) => ({ publicKey }));
  } catch (error) {
    if (error instanceof AuditKeyError) throw new UsageError(`--key ${path}: ${error.message}`);
    throw unreadable(path, error);
  }
}

/** What Node says of a file, for people. */
export function unreadable(path: string, error: unknown): unknown {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  if (code === 'ENOENT') return new UsageError(`${path}: no such file or folder`);
  if (code === 'EACCES') return new UsageError(`${path}: permission denied`);
  if (code === 'EISDIR') return new UsageError(`${path} is a folder`);
  if (code === 'EEXIST')
    return new UsageError(`${path} exists already`, 'name another file, or add --force to replace it');
  return error;
}

function progressLine({ screen, now }: Context, what: string | undefined) {
  let shownAt = 0;
  let shown = false;
  return {
    commits(count: number): void {
      if (what === undefined || !screen.isTty || now() - shownAt < progressMs) return;
      shownAt = now();
      shown = true;
      screen.write(`\r${what}: ${count} commits\u001b[K`);
    },
    end(): void {
      if (shown) screen.write('\r\u001b[K');
    },
  };
}
