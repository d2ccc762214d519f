/** What is wrong with a commit, a checkpoint or a file. */
export type FindingKind =
  /** A commit, or a body that a commit refers to, is missing. */
  | 'removed'
  /** Bytes, time or headers are not those that were stored. */
  | 'altered'
  /** A commit stands in another place than it was stored in. */
  | 'reordered'
  /** Signed by a key that is not trusted. */
  | 'foreign key'
  /** A signature that its key did not make. */
  | 'forged'
  /** A file without its end. */
  | 'cut';

export interface Finding {
  /** In the log; of the first commit concerned. */
  readonly position: number;
  /** Empty when it is not known. */
  readonly stream: string;
  readonly kind: FindingKind;
  readonly fault: string;
}

export interface AuditReport {
  /** Nothing was found. */
  readonly ok: boolean;
  /** What stands up to this position was not read: its checkpoint is believed. 0: everything was read. */
  readonly since: number;
  readonly commits: number;
  readonly streams: number;
  /** Highest position that was seen, and the rolling hash there. */
  readonly last: number;
  readonly hash: string;
  readonly checkpoints: number;
  /** Every commit up to this position is covered by a good signature. */
  readonly covered: number;
  /** Commits after it, those of the audit itself not counted. */
  readonly uncovered: number;
  /** Events that this release does not know: of a newer one, and no fault. */
  readonly unknownEvents: readonly { readonly type: string; readonly count: number }[];
  /** By position. */
  readonly findings: readonly Finding[];
  /** Findings that were counted and not kept. */
  readonly omitted: number;
}

/** Findings that are kept, at most: a log that is wrong from its first commit on must not fill the memory. */
const most = 10_000;

export class Findings {
  readonly #kept: Finding[] = [];
  #omitted = 0;

  add(finding: Finding): void {
    if (this.#kept.length < most) this.#kept.push(finding);
    else this.#omitted++;
  }

  get count(): number {
    return this.#kept.length + this.#omitted;
  }

  get omitted(): number {
    return this.#omitted;
  }

  sorted(): readonly Finding[] {
    return this.#kept.toSorted((a, b) => a.position - b.position);
  }
}
