import { decodeEvent, type Event, MalformedEventError, UnknownEventError } from '@tinkerbell/events';
import { parseStream } from '@tinkerbell/messaging/subjects';
import { type Envelope, type Kept, parseEnvelope } from '../envelope';
import { IntegrityError } from '../event-store';
import { type Checkpoint, isCheckpoint, type TrustedKey, TrustedKeys } from './checkpoint';
import { HashWindow } from './hash-window';
import { emptyLogHash, leafOf, roll, sha256Of } from './log-hash';
import { Positions } from './positions';
import { type AuditReport, Findings } from './report';
import { StreamChains } from './stream-chains';

/** How far somebody had read the log before, and the rolling hash there. */
export interface LogMark {
  readonly position: number;
  readonly hash: string;
}

/** No good checkpoint covers exactly the position that the check was to go on from. */
export class UnknownCheckpointError extends Error {
  constructor(readonly position: number) {
    super(`no checkpoint that a trusted key signed covers the log up to exactly position ${position}`);
  }
}

export interface LogVerifierOptions {
  readonly keys: readonly TrustedKey[];
  /** What is known of the log from elsewhere: a log that ends before it, or is another one there, was tampered with. */
  readonly seen?: LogMark;
  /** Called with each event that this release knows. */
  readonly onEvent?: (event: Event) => void;
}

/**
 * Checks a log message by message, in the order in which they are read, and goes on after a fault: places, the chain of each stream, and
 * the rolling hash against every signed checkpoint. Keeps one head per stream and the last hashes, whatever the length of the log.
 */
export class LogVerifier {
  readonly findings = new Findings();
  readonly #positions = new Positions(this.findings);
  readonly #chains = new StreamChains(this.findings);
  readonly #window = new HashWindow();
  readonly #keys: TrustedKeys;
  readonly #unknown = new Map<string, number>();
  /** As read, and as signed: after a checkpoint that does not agree the second goes on from what it says. */
  #hash = emptyLogHash;
  #signedHash = emptyLogHash;
  #messages = 0;
  #commits = 0;
  #checkpoints = 0;
  #covered = 0;
  #commitsCovered = 0;
  #since = 0;
  #isSinceSigned = true;

  /** Throws AuditKeyError. */
  constructor(private readonly options: LogVerifierOptions) {
    this.#keys = new TrustedKeys(options.keys);
  }

  get last(): number {
    return this.#positions.last;
  }

  /** Rolling hash of what was taken so far. */
  get hash(): string {
    return this.#hash;
  }

  /**
   * Before the first message, which is the one after `position`: what stands up to there is believed to have this hash, which the
   * checkpoint of that position has to say as well.
   */
  goOnFrom({ position, hash }: LogMark): void {
    this.#since = this.#covered = position;
    this.#isSinceSigned = false;
    this.#hash = this.#signedHash = hash;
    this.#positions.last = position;
    this.#chains.since = position;
    this.#window.add({ position, leaf: '', hash, commits: 0 });
  }

  /** `stated`: the rolling hash after this message as whoever handed it on had it. */
  take(message: Kept, stated?: string): void {
    const { position, stream, bytes } = message;
    const inPlace = this.#positions.take(position, stream);
    const sha256 = sha256Of(bytes);
    const leaf = leafOf(message, sha256);
    this.#messages++;
    this.#hash = roll(this.#hash, leaf);
    this.#signedHash = roll(this.#signedHash, leaf);
    if (stated !== undefined && stated !== this.#hash) {
      if (inPlace) this.#found(message, 'altered', 'its bytes, time or stream are not what was exported');
      this.#hash = stated;
    }
    const ofAudit = parseStream(stream)?.aggregate === 'audit';
    if (!ofAudit) this.#commits++;
    this.#window.add({ position, leaf, hash: this.#signedHash, commits: this.#commits });
    this.#compareWithSeen(message);
    const envelope = this.#read(message);
    if (!envelope) return this.#chains.takeUnreadable(message, sha256);
    if (message.id !== envelope.cid) this.#found(message, 'altered', idFault(message.id, envelope.cid));
    this.#chains.take(message, envelope, sha256);
    this.#takeEvents(message, envelope);
  }

  /** Throws UnknownCheckpointError. */
  end(): AuditReport {
    if (!this.#isSinceSigned) throw new UnknownCheckpointError(this.#since);
    this.#positions.end();
    const { seen } = this.options;
    if (seen && seen.position > this.last) {
      const fault = `the log ends at position ${this.last}, but it was ${seen.position} commits long before`;
      this.findings.add({ position: this.last + 1, stream: '', kind: 'removed', fault });
    }
    return {
      ok: this.findings.count === 0,
      since: this.#since,
      commits: this.#messages,
      streams: this.#chains.count,
      last: this.last,
      hash: this.#hash,
      checkpoints: this.#checkpoints,
      covered: this.#covered,
      uncovered: this.#commits - this.#commitsCovered,
      unknownEvents: [...this.#unknown].map(([type, count]) => ({ type, count })),
      findings: this.findings.sorted(),
      omitted: this.findings.omitted,
    };
  }

  #found({ position, stream }: Kept, kind: 'altered' | 'reordered' | 'foreign key' | 'forged', fault: string): void {
    this.findings.add({ position, stream, kind, fault });
  }

  #compareWithSeen(message: Kept): void {
    const { seen } = this.options;
    if (seen?.position !== message.position || seen.hash === this.#hash) return;
    const range = rangeOf(this.#covered + 1, message.position);
    this.#found(message, 'altered', `${range} not what was in the log before: removed, altered or reordered`);
  }

  #read(message: Kept): Envelope | undefined {
    try {
      return parseEnvelope(message.stream, message.position, message.bytes);
    } catch (error) {
      if (!(error instanceof IntegrityError)) throw error;
      this.#found(message, 'altered', error.fault);
      return undefined;
    }
  }

  #takeEvents(message: Kept, envelope: Envelope): void {
    const aggregate = parseStream(message.stream)?.aggregate;
    if (aggregate === undefined) return this.#found(message, 'altered', 'the subject is not a stream of events');
    for (const stored of envelope.events) {
      try {
        const event = decodeEvent(aggregate, stored);
        this.options.onEvent?.(event);
        if (event.type === 'AuditCheckpointed') this.#takeCheckpoint(message, event.data);
      } catch (error) {
        if (error instanceof UnknownEventError) this.#countUnknown(`${aggregate} ${error.type} v${error.v}`);
        else if (error instanceof MalformedEventError) this.#found(message, 'altered', error.message);
        else throw error;
      }
    }
  }

  #countUnknown(type: string): void {
    this.#unknown.set(type, (this.#unknown.get(type) ?? 0) + 1);
  }

  #takeCheckpoint(message: Kept, checkpoint: Checkpoint): void {
    this.#checkpoints++;
    if (!isCheckpoint(checkpoint)) return this.#found(message, 'altered', 'the checkpoint is not what it has to be');
    const { position, hash, keyId } = checkpoint;
    const verdict = this.#keys.judgeCheckpoint(checkpoint);
    if (verdict === 'foreign') {
      return this.#found(message, 'foreign key', `the checkpoint is signed by ${short(keyId)}, which is not trusted`);
    }
    if (verdict === 'forged') {
      return this.#found(message, 'forged', `the checkpoint's signature is not one of ${short(keyId)}`);
    }
    if (position < this.#since) return;
    if (position >= message.position) return this.#lacks(message, position);
    const rolled = this.#window.at(position);
    if (!rolled) return this.#found(message, 'reordered', `the checkpoint covers position ${position}, too far back`);
    if (position === this.#since) this.#isSinceSigned = true;
    if (rolled.hash !== hash) {
      const fault = `${rangeOf(this.#covered + 1, position)} not what was signed at ${message.position}: removed, altered or reordered`;
      this.findings.add({ position: Math.min(this.#covered + 1, position), stream: '', kind: 'altered', fault });
      this.#signedHash = this.#window.restart(position, hash);
    }
    this.#covered = Math.max(this.#covered, position);
    this.#commitsCovered = Math.max(this.#commitsCovered, rolled.commits);
  }

  /** A checkpoint stands behind what it covers; here it has moved up. */
  #lacks(message: Kept, position: number): void {
    const before = message.position - 1;
    const fault = `${position} commits stood before the checkpoint at ${message.position} when it was signed, now ${before}`;
    this.findings.add({ position: Math.min(this.#covered + 1, before), stream: '', kind: 'removed', fault });
  }
}

function rangeOf(from: number, to: number): string {
  return from >= to ? `position ${to} is` : `positions ${from} to ${to} are`;
}

function idFault(id: string, cid: string): string {
  return id === '' ? `has no command id, but says ${cid}` : `was stored as command ${id}, but says ${cid}`;
}

const short = (keyId: string) => `key ${keyId.slice(0, 16)}`;
