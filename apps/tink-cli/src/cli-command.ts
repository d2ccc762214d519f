import type { Client } from './client';
import type { Screen } from './output/screen';

/**
 * Where the candidates for an argument or a flag's value come from when the shell completes it. `awaiting-approval`, `unknown`: the
 * actions in that state; as `action`, of the workflow that stands before.
 */
export type Completer =
  | 'hardware'
  | 'template'
  | 'workflow'
  | 'mac'
  | 'ip'
  | 'machine'
  | 'action'
  | 'awaiting-approval'
  | 'unknown'
  | 'secret'
  | 'subscription'
  | 'file'
  | 'folder';

interface Described {
  readonly about: string;
  readonly short?: string;
  /** Further long names, accepted but not shown. */
  readonly aliases?: readonly string[];
}
export type Flag =
  | (Described & { readonly kind: 'switch' })
  | (Described & {
      readonly kind: 'text';
      /** What stands for the value in help. */
      readonly value: string;
      readonly required?: true;
      readonly choices?: readonly string[];
      readonly complete?: Completer;
    })
  /** Given several times, or once with commas. */
  | (Described & {
      readonly kind: 'list';
      readonly value: string;
      readonly choices?: readonly string[];
      readonly complete?: Completer;
    })
  | (Described & {
      readonly kind: 'number';
      readonly value: string;
      readonly default?: number;
      /** 0 without it. */
      readonly min?: number;
      readonly max?: number;
    });

export type Flags = Readonly<Record<string, Flag>>;

type ValueOf<F extends Flag> = F extends { readonly kind: 'switch' }
  ? boolean
  : F extends { readonly kind: 'list' }
    ? readonly string[]
    : F extends { readonly kind: 'number'; readonly default: number }
      ? number
      : F extends { readonly kind: 'number' }
        ? number | undefined
        : F extends { readonly required: true }
          ? string
          : string | undefined;

/** A command line after parsing: every flag has its value, `positionals` are as many as the command wants. */
export interface Args<F extends Flags = Flags> {
  readonly flags: { readonly [K in keyof F]: ValueOf<F[K]> };
  readonly positionals: readonly string[];
}

export interface Positionals {
  /** As in the usage line, e.g. `<id>...`. */
  readonly usage: string;
  readonly min: number;
  readonly max: number;
  /** By place; the last one stands for all that follow. */
  readonly complete?: readonly (Completer | readonly string[])[];
}

export interface Files {
  read(path: string): Promise<string>;
  write(path: string, text: string): Promise<void>;
  /** Its bytes, unpacked when it is gzip. */
  open(path: string): AsyncIterable<Uint8Array>;
  create(path: string, options: { readonly replace: boolean }): Promise<NewFile>;
}

/** A file that appears under its name when it is finished. */
export interface NewFile {
  write(chunk: Uint8Array): Promise<void>;
  finish(): Promise<void>;
  discard(): Promise<void>;
}

/** All that a command may touch. A spec builds one without a process. */
export interface Context {
  readonly client: Client;
  readonly out: (line: string) => void;
  /** For people, never for programs: notes and errors. */
  readonly err: (line: string) => void;
  readonly screen: Screen;
  /** One line of standard error that is written over and over, '' at last; undefined when that is no terminal. */
  readonly progress: ((line: string) => void) | undefined;
  /** Everything on standard input; undefined when that is a terminal, where nobody is about to type a document. */
  readonly input: () => Promise<string | undefined>;
  /** A question to the person at the terminal, and the line that is typed, '' at its end; undefined: nobody is there. */
  readonly ask: ((question: string) => Promise<string>) | undefined;
  readonly files: Files;
  /** Milliseconds since 1970. */
  readonly now: () => number;
  /** Ctrl-C. */
  readonly signal: AbortSignal;
  /** Runs the all-in-one provisioner with these arguments, its command first; its exit code. */
  readonly provisioner: (args: readonly string[]) => Promise<number>;
  readonly commands: readonly CliCommand[];
}

interface Shape {
  /** Words that name it, e.g. `hardware push`. */
  readonly name: string;
  /** One line. */
  readonly summary: string;
  readonly details?: string;
  readonly examples: readonly string[];
  readonly positionals?: Positionals;
  readonly hidden?: true;
  /** Nothing is parsed: all arguments are positionals. */
  readonly passThrough?: true;
}

export interface CliCommand extends Shape {
  readonly flags: Flags;
  /** The exit code. */
  run(args: Args, context: Context): Promise<number>;
}

/** Gives `run` the types of the flags that the command declares. */
export function define<const F extends Flags>(
  command: Shape & { readonly flags: F; run(args: Args<F>, context: Context): Promise<number> },
): CliCommand {
  // parseArguments() has made args from exactly these flags.
  return { ...command, run: (args, context) => command.run(args as unknown as Args<F>, context) };
}

/** Exit codes; docs/cli.md explains them. */
export const exit = { ok: 0, failure: 1, usage: 2, unreachable: 3, notFound: 4, interrupted: 130 } as const;

/** The command line makes no sense. `hint` says what would. */
export class UsageError extends Error {
  constructor(
    message: string,
    readonly hint?: string,
  ) {
    super(message);
  }
}

/** The command ran, and the answer is no. */
export class CommandError extends Error {
  constructor(
    message: string,
    readonly exitCode: number = exit.failure,
  ) {
    super(message);
  }
}
