import { type Profiler, Session } from 'node:inspector';

/** Which parts of the bundle have run, from V8 itself: an input that reaches a new one is worth keeping. */
export class Coverage {
  readonly #session = new Session();

  /** `file`: the bundle that has all the code in question. */
  constructor(private readonly file: string) {
    this.#session.connect();
    this.#session.post('Profiler.enable');
    this.#session.post('Profiler.startPreciseCoverage', { callCount: true, detailed: true });
  }

  /** The parts that ran since the last call. */
  parts(): ReadonlySet<string> {
    const ran = new Set<string>();
    for (const { url, functions } of this.#take()) {
      if (!url.endsWith(this.file)) continue;
      for (const { ranges } of functions) {
        for (const { startOffset, endOffset, count } of ranges) if (count > 0) ran.add(`${startOffset} ${endOffset}`);
      }
    }
    return ran;
  }

  close(): void {
    this.#session.disconnect();
  }

  /** Of a session in this thread the answer is there when `post` returns. */
  #take(): readonly Profiler.ScriptCoverage[] {
    let result: readonly Profiler.ScriptCoverage[] = [];
    this.#session.post('Profiler.takePreciseCoverage', (error, taken) => {
      if (error) throw error;
      result = taken.result;
    });
    return result;
  }
}
