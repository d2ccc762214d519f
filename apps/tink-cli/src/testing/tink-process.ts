import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';

export interface Finished {
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
}

/** The bundle as a user runs it: a process of its own, in a folder of its own, knowing nothing but what it is given. */
export class TinkProcess {
  private readonly children = new Set<ChildProcess>();

  constructor(
    readonly bundle: string,
    private readonly dir: string,
    private readonly env: Readonly<Record<string, string>> = {},
  ) {}

  /** Bundles the sources as they are now. */
  static build(): string {
    const built = spawnSync(process.execPath, ['infra/build/build.mjs', 'apps/tink-cli'], { encoding: 'utf8' });
    if (built.status !== 0) throw new Error(`the bundle could not be built: ${built.stderr}`);
    return `${process.cwd()}/dist/apps/tink-cli/main.js`;
  }

  /** Runs to its end. */
  async run(
    args: readonly string[],
    { input = '', env = {} }: { input?: string; env?: Readonly<Record<string, string>> } = {},
  ): Promise<Finished> {
    const child = this.start(args, env);
    let [out, err] = ['', ''];
    child.stdout?.setEncoding('utf8').on('data', (text: string) => (out += text));
    child.stderr?.setEncoding('utf8').on('data', (text: string) => (err += text));
    child.stdin?.on('error', () => undefined).end(input);
    const [code] = (await once(child, 'close')) as [number | null];
    return { code, out, err };
  }

  /** Output line by line, errors too, until it ends or the caller has seen enough. */
  async follow(
    args: readonly string[],
    enough: (line: string, child: ChildProcess) => boolean | Promise<boolean>,
  ): Promise<Finished> {
    const child = this.start(args, {});
    child.stdin?.end();
    let [out, err] = ['', ''];
    const closed = once(child, 'close') as Promise<[number | null]>;
    child.stderr?.setEncoding('utf8').on('data', (text: string) => (err += text));
    if (!child.stdout) throw new Error('no output');
    for await (const line of createInterface({ input: child.stdout })) {
      out += `${line}\n`;
      if (await enough(line, child)) child.kill('SIGINT');
    }
    const [code] = await closed;
    return { code, out, err };
  }

  start(args: readonly string[], env: Readonly<Record<string, string>>): ChildProcess {
    const { PATH = '' } = process.env;
    const child = spawn(process.execPath, [this.bundle, ...args], {
      cwd: this.dir,
      env: { PATH, HOME: this.dir, ...this.env, ...env },
    });
    this.children.add(child);
    child.once('close', () => this.children.delete(child));
    return child;
  }

  async close(): Promise<void> {
    await Promise.all(
      [...this.children].map(async (child) => {
        child.kill('SIGKILL');
        await once(child, 'close');
      }),
    );
  }
}
