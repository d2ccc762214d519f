import type { Step } from './story';

/** What the demo shows while it runs: a line per step, and below them one line that changes in place when the output is a terminal. */
export interface View {
  title(text: string): void;
  note(text: string): void;
  step(step: Step): void;
  /** Progress of what is going on now; empty: nothing. */
  progress(text: string): void;
}

export function createView(out: NodeJS.WriteStream, since: () => number | undefined): View {
  const colour = out.isTTY && !process.env.NO_COLOR;
  const paint = (code: number, text: string) => (colour ? `\u001b[${code}m${text}\u001b[0m` : text);
  let live = '';
  const clear = () => (out.isTTY && live !== '' ? '\r\u001b[2K' : '');
  const line = (text: string) => {
    out.write(`${clear()}${text}\n`);
    if (out.isTTY && live !== '') out.write(live);
  };
  return {
    title: (text) => line(paint(1, text)),
    note: (text) => line(paint(2, `        ${text}`)),
    step: ({ name, seconds, detail }) => {
      const bad = /FAILED|TIMED OUT|timed out/.test(detail);
      line(`${seconds.toFixed(1).padStart(6)}s ${paint(bad ? 31 : 36, name.padEnd(22))} ${detail}`);
    },
    progress: (text) => {
      if (!out.isTTY) return;
      const start = since();
      const seconds = start === undefined ? '' : `${((Date.now() - start) / 1000).toFixed(1).padStart(6)}s `;
      const next = text === '' ? '' : `${seconds}${paint(2, text)}`.slice(0, Math.max(20, (out.columns ?? 100) + 8));
      out.write(`${clear()}${next}`);
      live = next;
    },
  };
}
