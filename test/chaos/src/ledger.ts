import { appendFileSync, readFileSync } from 'node:fs';

/** What the clients and workers were promised, and what they did: what the log is held against. */
export type Entry =
  /** tink-server answered 200 to the creation. */
  | { readonly t: 'created'; readonly workflowId: string; readonly position: number }
  | { readonly t: 'hardware'; readonly id: string; readonly mac: string; readonly position: number }
  /** TINK_IN acknowledged the report. */
  | {
      readonly t: 'report';
      readonly kind: 'started' | 'finished';
      readonly id: string;
      readonly workflowId: string;
      readonly index: number;
      readonly attempt: number;
      readonly worker: string;
    }
  /** A worker did the thing that must not be done twice. `twin`: one of two machines that have one identity. */
  | {
      readonly t: 'effect';
      readonly workflowId: string;
      readonly index: number;
      readonly attempt: number;
      readonly worker: string;
      readonly twin: boolean;
    };

/** One JSON a line, written at once: it outlives whoever writes it. */
export class Ledger {
  constructor(private readonly file: string) {}

  add(entry: Entry): void {
    appendFileSync(this.file, `${JSON.stringify(entry)}\n`);
  }
}

export function readLedger(file: string): readonly Entry[] {
  return readFileSync(file, 'utf8')
    .split('\n')
    .filter((line) => line.endsWith('}'))
    .map((line) => JSON.parse(line) as Entry);
}
