import { createInterface } from 'node:readline';

/** The next line that is typed, '' when there is none (Ctrl-D). Throws AbortError on Ctrl-C. */
export function ask(
  question: string,
  input: NodeJS.ReadableStream,
  output: NodeJS.WritableStream,
  signal: AbortSignal,
): Promise<string> {
  // The terminal edits the line itself, and turns Ctrl-C into a signal.
  const lines = createInterface({ input, output, terminal: false });
  return new Promise<string>((resolve, reject) => {
    signal.addEventListener('abort', () => reject(signal.reason as Error), { once: true });
    lines.once('line', resolve).once('close', () => resolve(''));
    output.write(question);
  }).finally(() => lines.close());
}
