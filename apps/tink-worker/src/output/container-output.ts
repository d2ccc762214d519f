import { readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Containers } from '../containers/containers';
import { LineSplitter } from './line-splitter';
import { SecretMask } from './secret-mask';

type Stream = 'stdout' | 'stderr';

/** `settled`: the line has reached the log, so a restarted worker need not send it again. */
export type LineSink = (stream: Stream, number: number, line: string, settled: () => void) => void;

interface Reader {
  push(chunk: Buffer): void;
  end(): void;
}

const saveEveryMs = 500;
const noSecrets = new SecretMask([]);

/**
 * The lines of one container, numbered from 0 in each stream. The numbers are the same however often its output is read again, so
 * after a break (of the engine or of the worker) reading goes on where it stopped. `lastError`: the latest line on stderr with text.
 */
export class ContainerOutput {
  lastError = '';
  private readonly seen: Record<Stream, number>;
  private readonly open: Record<Stream, Set<number>> = { stdout: new Set(), stderr: new Set() };
  private readonly file: string;
  private savedAt = 0;
  private readers: readonly Reader[] = [];
  private ended: Promise<void> = Promise.resolve();

  constructor(
    private readonly containers: Containers,
    private readonly name: string,
    stateDirectory: string,
    private readonly sink: LineSink,
    /** Asked when reading begins; undefined: what is written may hold secrets that are not known, and nothing of it is passed on. */
    private readonly mask: () => SecretMask | undefined = () => noSecrets,
  ) {
    this.file = join(stateDirectory, `output-${name}.json`);
    this.seen = readPosition(this.file);
  }

  /** Resolves once listening. */
  async listen(from: 'attach' | 'replay'): Promise<void> {
    const mask = this.mask();
    if (!mask) return;
    const readers = { stdout: this.reader('stdout', mask), stderr: this.reader('stderr', mask) };
    this.readers = Object.values(readers);
    const { ended } = await this.containers.output(this.name, from, (stream, chunk) => readers[stream].push(chunk));
    this.ended = ended;
  }

  /** Waits for the end of the output, for at most `ms`, and passes on what has no line end. */
  async finish(ms: number): Promise<void> {
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<void>((resolve) => (timer = setTimeout(resolve, ms)));
    await Promise.race([this.ended, late]);
    clearTimeout(timer);
    this.readers.forEach((reader) => reader.end());
  }

  /** Notes how far the output got; called by itself every now and then. Without it a restarted worker sends some lines again. */
  save(): void {
    this.savedAt = Date.now();
    const position = (stream: Stream) => this.open[stream].values().next().value ?? this.seen[stream];
    writeFileSync(`${this.file}.new`, JSON.stringify({ stdout: position('stdout'), stderr: position('stderr') }));
    renameSync(`${this.file}.new`, this.file);
  }

  forget(): void {
    this.savedAt = Number.MAX_SAFE_INTEGER;
    rmSync(this.file, { force: true });
  }

  /** Secrets go before lines are made: a line is cut where it gets long, and that may be in the middle of one. */
  private reader(stream: Stream, mask: SecretMask): Reader {
    const masked = mask.stream();
    const splitter = this.splitter(stream);
    return {
      push: (chunk) => splitter.push(masked.push(chunk)),
      end: () => {
        splitter.push(masked.end());
        splitter.end();
      },
    };
  }

  private splitter(stream: Stream): LineSplitter {
    let number = 0;
    return new LineSplitter((line) => {
      const mine = number++;
      if (stream === 'stderr' && line.trim() !== '') this.lastError = line.trim();
      if (mine < this.seen[stream]) return;
      this.seen[stream] = mine + 1;
      this.open[stream].add(mine);
      this.sink(stream, mine, line, () => {
        this.open[stream].delete(mine);
        if (Date.now() - this.savedAt > saveEveryMs) this.save();
      });
    });
  }
}

function readPosition(file: string): Record<Stream, number> {
  try {
    const { stdout, stderr } = JSON.parse(readFileSync(file, 'utf8')) as Partial<Record<Stream, unknown>>;
    if (Number.isInteger(stdout) && Number.isInteger(stderr)) return { stdout: Number(stdout), stderr: Number(stderr) };
  } catch {
    // None, or torn: read from the start, the message ids make it harmless.
  }
  return { stdout: 0, stderr: 0 };
}
