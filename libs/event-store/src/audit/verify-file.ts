import { type TrustedKey, TrustedKeys } from './checkpoint';
import {
  type BodyLine,
  type CommitLine,
  type EndLine,
  endText,
  type HeaderLine,
  keptOf,
  LogFileError,
  type LogLine,
  MalformedLineError,
  parseLine,
} from './log-file';
import { emptyLogHash, roll, sha256Of } from './log-hash';
import { bodyOf } from './referred-bodies';
import type { AuditReport } from './report';
import { type LogMark, LogVerifier, UnknownCheckpointError } from './verify-log';

export interface FileReport extends AuditReport {
  readonly header: HeaderLine;
  /** Bodies in the file: what it takes beside the commits to be a backup. */
  readonly bodies: number;
  /** Sealed values of secrets. */
  readonly sealed: number;
}

/** Checks an export or a backup line by line: all that LogVerifier finds, and a file that was cut, forged or lacks bodies. */
export class FileVerifier {
  #header: HeaderLine | undefined;
  #log: LogVerifier | undefined;
  #headerSha256 = '';
  #lines = 0;
  #commits = 0;
  #bodies = 0;
  #sealed = 0;
  #bodiesHash = emptyLogHash;
  #end: EndLine | undefined;
  /** Of the last line, when it cannot be read. */
  #broken: string | undefined;
  readonly #wanted = new Set<string>();
  /** Rolling hash after the last commit that was passed over, as the file states it. */
  #passed = emptyLogHash;

  /**
   * `keys`: whose signatures are believed; those that the file names when absent. `since`: what stands up to this position is passed
   * over; a checkpoint has to cover exactly that. Throws AuditKeyError.
   */
  constructor(
    private readonly keys?: readonly TrustedKey[],
    private since?: number,
  ) {}

  /** So far. */
  get commits(): number {
    return this.#commits;
  }

  /** The line when it is whole. Throws LogFileError when the file is no export, AuditKeyError when its keys are none. */
  take(text: string): LogLine | undefined {
    this.#lines++;
    if (!this.#log) return this.#begin(text);
    this.#reportBroken();
    if (this.#end) return this.#found('altered', `line ${this.#lines} stands after the end`);
    let line: LogLine;
    try {
      line = parseLine(text);
    } catch (error) {
      if (!(error instanceof MalformedLineError || error instanceof LogFileError)) throw error;
      this.#broken = `line ${this.#lines}: ${error.message}`;
      return undefined;
    }
    if ('kind' in line) return this.#found('altered', `line ${this.#lines} is a second header`);
    if ('end' in line) this.#takeEnd(line);
    else if ('sealed' in line) {
      this.#sealed++;
      this.#bodiesHash = roll(this.#bodiesHash, sha256Of(text));
    } else if ('body' in line) this.#takeBody(line, text);
    else {
      this.#commits++;
      if (!this.#passesOver(line, this.#log)) this.#log.take(keptOf(line), line.hash);
    }
    return line;
  }

  /** Throws LogFileError for an empty file, UnknownCheckpointError. */
  end(): FileReport {
    const [header, log] = [this.#header, this.#log];
    if (!header || !log) throw new LogFileError('it is empty');
    if (this.since !== undefined) throw new UnknownCheckpointError(this.since);
    if (!this.#end) {
      const where = this.#broken === undefined ? `after position ${log.last}` : `in the middle of line ${this.#lines}`;
      this.#found('cut', `the file ends ${where}, without its last line`);
    } else this.#reportBroken();
    for (const sha256 of this.#wanted) this.#found('removed', `the body ${sha256} is missing`);
    return { ...log.end(), header, bodies: this.#bodies, sealed: this.#sealed };
  }

  #begin(text: string): HeaderLine {
    let line: LogLine;
    try {
      line = parseLine(text);
    } catch (error) {
      if (!(error instanceof MalformedLineError)) throw error;
      throw new LogFileError(`it is no export of a log: its first line: ${error.message}`);
    }
    if (!('kind' in line)) throw new LogFileError('it is no export of a log: it does not begin with a header');
    this.#header = line;
    this.#headerSha256 = sha256Of(text);
    this.#log = new LogVerifier({
      keys: this.keys ?? line.keys,
      ...(line.seen ? { seen: line.seen } : {}),
      ...(line.bodies ? { onEvent: (event) => this.#want(bodyOf(event)) } : {}),
    });
    if (line.since) this.#goOnFrom(this.#log, line.since);
    return line;
  }

  /** Until the place is reached that the check goes on from. */
  #passesOver({ position, hash }: CommitLine, log: LogVerifier): boolean {
    const { since } = this;
    if (since === undefined) return false;
    if (position < since) {
      this.#passed = hash;
      return true;
    }
    this.since = undefined;
    log.goOnFrom({ position: since, hash: position === since ? hash : this.#passed });
    if (position > since) {
      log.findings.add({ position: since, stream: '', kind: 'removed', fault: `position ${since} is missing` });
    }
    return position === since;
  }

  #goOnFrom(log: LogVerifier, mark: LogMark): void {
    const wanted = this.since ?? mark.position;
    if (mark.position > wanted) {
      throw new LogFileError(`it begins after position ${mark.position}, which is later than position ${wanted}`);
    }
    log.goOnFrom(mark);
    if (wanted === mark.position) this.since = undefined;
  }

  #want(sha256: string | undefined): void {
    if (sha256 !== undefined) this.#wanted.add(sha256);
  }

  #takeBody({ body, base64 }: BodyLine, text: string): void {
    this.#bodies++;
    this.#bodiesHash = roll(this.#bodiesHash, sha256Of(text));
    if (base64 === null) return; // still wanted: reported at the end
    if (sha256Of(Buffer.from(base64, 'base64')) !== body) this.#found('altered', `the body ${body} is another one`);
    this.#wanted.delete(body);
  }

  #takeEnd(end: EndLine): void {
    this.#end = end;
    const verdict = new TrustedKeys(this.keys ?? this.#header?.keys ?? []).judge(
      endText(end, this.#headerSha256),
      end.keyId,
      end.signature,
    );
    const key = `key ${end.keyId.slice(0, 16)}`;
    if (verdict === 'foreign') this.#found('foreign key', `the file is signed by ${key}, which is not trusted`);
    if (verdict === 'forged') this.#found('forged', `the file's signature is not one of ${key}`);
    const { commits, position, hash, bodies, bodiesHash } = end;
    const last = this.#log?.last ?? 0;
    if (commits > this.#commits) this.#found('removed', `${commits - this.#commits} of ${commits} commits are missing`);
    if (commits < this.#commits) this.#found('altered', `${this.#commits - commits} commits were added`);
    if (commits === this.#commits && (position !== last || hash !== this.#log?.hash)) {
      this.#found('altered', `the log up to ${last} is not the one that was exported up to ${position}`);
    }
    if (bodies !== this.#bodies + this.#sealed || bodiesHash !== this.#bodiesHash) {
      this.#found('altered', 'the bodies and sealed values are not those that were written');
    }
  }

  #reportBroken(): void {
    if (this.#broken !== undefined) this.#found('altered', this.#broken);
    this.#broken = undefined;
  }

  #found(kind: 'altered' | 'removed' | 'forged' | 'foreign key' | 'cut', fault: string): undefined {
    this.#log?.findings.add({ position: (this.#log.last || 0) + 1, stream: '', kind, fault });
  }
}
