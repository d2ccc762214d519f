import type { Findings } from './report';

/** Holes that are remembered, at most, to tell a commit that was moved from one that is gone. */
const mostHoles = 10_000;

/** The places of the log, which has no holes: which are missing, and which commits stand in another place. */
export class Positions {
  /** First missing position → last one. */
  readonly #holes = new Map<number, number>();
  last = 0;

  constructor(private readonly findings: Findings) {}

  /** Whether this is the position that had to come. */
  take(position: number, stream: string): boolean {
    const expected = this.last + 1;
    if (position === expected) {
      this.last = position;
      return true;
    }
    if (position > expected) {
      if (this.#holes.size < mostHoles) this.#holes.set(expected, position - 1);
      else this.#report(expected, position - 1);
      this.last = position;
      return false;
    }
    const found = this.#fill(position) ? `stands after position ${this.last}` : `position ${position} comes again`;
    this.findings.add({ position, stream, kind: 'reordered', fault: found });
    return false;
  }

  end(): void {
    for (const [from, to] of this.#holes) this.#report(from, to);
  }

  #fill(position: number): boolean {
    const hole = [...this.#holes].find(([from, to]) => from <= position && position <= to);
    if (!hole) return false;
    const [from, to] = hole;
    this.#holes.delete(from);
    if (from < position) this.#holes.set(from, position - 1);
    if (position < to) this.#holes.set(position + 1, to);
    return true;
  }

  #report(from: number, to: number): void {
    const fault = from === to ? `position ${from} is missing` : `positions ${from} to ${to} are missing`;
    this.findings.add({ position: from, stream: '', kind: 'removed', fault });
  }
}
