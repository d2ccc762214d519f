import { runCli, type Host } from '../cli';
import type { NewFile } from '../cli-command';

export interface Ran {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

export interface Surrounding {
  readonly server?: string;
  readonly env?: Readonly<Record<string, string>>;
  /** What is piped in; without it standard input is a terminal. */
  readonly input?: string;
  /** What the person at the terminal answers; without it nobody is there. */
  readonly answer?: (question: string) => string;
  /** Path → text; what is written goes here too. */
  readonly files?: Record<string, string>;
  /** Columns; without it standard output is no terminal. */
  readonly columns?: number;
  readonly color?: boolean;
  readonly signal?: AbortSignal;
  /** Called with each line as it is printed. */
  readonly onLine?: (line: string) => void;
  /** Called with what is drawn on the terminal, as it is drawn. */
  readonly onText?: (text: string) => void;
  readonly provisioner?: Host['provisioner'];
  /** Without it standard error is no terminal. */
  readonly onProgress?: (line: string) => void;
}

/** 2026-01-01T00:10:00Z: ten minutes after the events of the builders. */
export const testNow = Date.parse('2026-01-01T00:10:00.000Z');

/** Runs one command line without a process. */
export async function runTink(args: readonly string[], surrounding: Surrounding = {}): Promise<Ran> {
  const {
    server,
    env = {},
    input,
    answer,
    files = {},
    columns,
    color = false,
    signal = new AbortController().signal,
  } = surrounding;
  let out = '';
  let err = '';
  const missing = () => Object.assign(new Error('no such file'), { code: 'ENOENT' });
  const code = await runCli(args, {
    out: (line) => {
      out += `${line}\n`;
      surrounding.onLine?.(line);
    },
    err: (line) => {
      err += `${line}\n`;
      surrounding.onLine?.(line);
    },
    screen: {
      isTty: columns !== undefined,
      color,
      columns,
      rows: columns === undefined ? undefined : 24,
      write: (text) => {
        out += text;
        surrounding.onText?.(text);
      },
    },
    progress: surrounding.onProgress,
    input: () => Promise.resolve(input),
    ask: answer && ((question) => Promise.resolve(answer(question))),
    files: {
      read: (path) => (path in files ? Promise.resolve(files[path] ?? '') : Promise.reject(missing())),
      write: (path, text) => {
        files[path] = text;
        return Promise.resolve();
      },
      async *open(path) {
        if (!(path in files)) throw missing();
        yield Buffer.from(files[path] ?? '');
      },
      create: (path, { replace }) => newFile(files, path, replace),
    },
    now: () => testNow,
    signal,
    provisioner: surrounding.provisioner ?? (() => Promise.resolve(0)),
    around: {
      env: { ...(server === undefined ? {} : { TINK_SERVER: server }), ...env },
      cwd: '/here',
      home: '/home/me',
      read: (path) => files[path],
    },
  });
  return { code, out, err };
}

function newFile(files: Record<string, string>, path: string, replace: boolean): Promise<NewFile> {
  if (path in files && !replace) return Promise.reject(Object.assign(new Error('there'), { code: 'EEXIST' }));
  const chunks: Uint8Array[] = [];
  return Promise.resolve({
    write: (chunk) => Promise.resolve(void chunks.push(chunk)),
    finish: () => Promise.resolve(void (files[path] = Buffer.concat(chunks).toString())),
    discard: () => Promise.resolve(),
  });
}
