/** What `tink … -o json` prints, a line each. */
export type { AnyEvent, Recorded } from '@tinkerbell/events';

export interface LogLine {
  readonly action: string;
  readonly line: string;
}
