import { useEffect, useState } from 'react';
import type { OutputLine } from '../../../src/wire';
import { SseConnection } from '../live/sse-connection';
import { plainLine } from '../output-text';

/** More than this is for `tink logs`. */
export const maxLines = 5000;

export interface Output {
  readonly lines: readonly OutputLine[];
  /** How many are not kept any more. */
  readonly dropped: number;
  /** The server has answered. */
  readonly ready: boolean;
}

const nothing: Output = { lines: [], dropped: 0, ready: false };

/** The output of one action, as it is written. Lines that come together are drawn together. */
export function useOutput(workflowId: string, index: number): Output {
  const [output, setOutput] = useState(nothing);
  useEffect(() => {
    setOutput(nothing);
    let waiting: OutputLine[] = [];
    let frame = 0;
    const draw = () => {
      frame = 0;
      const fresh = waiting;
      waiting = [];
      setOutput((before) => appended(before, fresh));
    };
    const soon = () => {
      frame ||= requestAnimationFrame(draw);
    };
    const connection = new SseConnection(`./api/workflows/${workflowId}/actions/${index}/output`, {
      events: {
        line: (data) => {
          waiting.push(JSON.parse(data) as OutputLine);
          soon();
        },
        ping: soon,
      },
      onLink: () => undefined,
      pauseWhenHidden: true,
    });
    return () => {
      cancelAnimationFrame(frame);
      connection.close();
    };
  }, [workflowId, index]);
  return output;
}

function appended(before: Output, fresh: readonly OutputLine[]): Output {
  if (fresh.length === 0) return before.ready ? before : { ...before, ready: true };
  const last = before.lines.at(-1)?.seq ?? 0;
  const added = fresh.filter(({ seq }) => seq > last).map((each) => ({ ...each, line: plainLine(each.line) }));
  const all = [...before.lines, ...added];
  const lines = all.slice(-maxLines);
  return { lines, dropped: before.dropped + all.length - lines.length, ready: true };
}
