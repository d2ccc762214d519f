import { constants } from 'node:fs';
import { lstat, mkdir, open, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';

/** Beyond this the text of a failure is cut. */
const maxTextBytes = 64 * 1024;

let freshFiles = 0;

/** A file that an action left behind and that cannot be taken. */
export class UnusableFileError extends Error {
  override readonly name = 'UnusableFileError';
}

/**
 * What one workflow's actions share with the worker: `<base>/<workflow>` on the host, `/workflow` inside. An action that runs beside
 * another of its workflow has a folder of its own, so that their answers do not mix. Actions write here what they like, so nothing is
 * followed or read without bounds.
 */
export class WorkflowFolder {
  readonly path: string;

  /** On the host; every action of the workflow finds it as `/workflow/shared`, also one with a folder of its own. */
  readonly shared: string;

  /** `own`: the name of a folder for one action alone, which runs while others of its workflow do. */
  constructor(
    base: string,
    workflowId: string,
    private readonly own?: string,
  ) {
    this.path = join(base, own ?? workflowId);
    this.shared = join(base, workflowId, 'shared');
  }

  /** How a container gets it. */
  get binds(): readonly string[] {
    return [`${this.path}:/workflow`, ...(this.own === undefined ? [] : [`${this.shared}:/workflow/shared`])];
  }

  /** Before an attempt begins: the folder, the latest data, and nothing left of an earlier attempt's answers. */
  async prepare(data: string): Promise<void> {
    await mkdir(this.path, { recursive: true, mode: 0o755 });
    await makeFolder(this.shared);
    if (this.own !== undefined) await makeFolder(join(this.path, 'shared'));
    for (const name of ['failure-reason', 'failure-message', 'reboot', 'outputs.json']) {
      await rm(join(this.path, name), { recursive: true, force: true });
    }
    const fresh = join(this.path, `.data.${process.pid}.${freshFiles++}`);
    const file = await open(fresh, 'w', 0o644);
    await file.writeFile(data);
    await file.close();
    await rm(join(this.path, 'data'), { recursive: true, force: true });
    await rename(fresh, join(this.path, 'data'));
  }

  /** Undefined when there is none. Throws UnusableFileError. */
  readData(maxBytes: number): Promise<string | undefined> {
    return this.read('data', maxBytes);
  }

  /** Undefined when there are none. Throws UnusableFileError. */
  readOutputs(maxBytes: number): Promise<string | undefined> {
    return this.read('outputs.json', maxBytes);
  }

  /** What the action itself says of its failure, on one line; empty when it says nothing. `mask` hides what must not be passed on. */
  async failureText(mask: (text: string) => string = (text) => text): Promise<string> {
    const parts: string[] = [];
    for (const name of ['failure-reason', 'failure-message']) {
      const text = await this.read(name, maxTextBytes).then(
        (found) => found && mask(found),
        () => undefined,
      );
      if (text?.trim()) parts.push(text.trim().replace(/\s+/g, ' '));
    }
    return parts.join(': ');
  }

  async wantsReboot(): Promise<boolean> {
    return stat(join(this.path, 'reboot')).then(
      () => true,
      () => false,
    );
  }

  async clearReboot(): Promise<void> {
    await rm(join(this.path, 'reboot'), { recursive: true, force: true });
  }

  /** When nothing of the action is left to do: its own folder is of no more use. */
  async close(): Promise<void> {
    if (this.own !== undefined) await rm(this.path, { recursive: true, force: true });
  }

  private async read(name: string, maxBytes: number): Promise<string | undefined> {
    // O_NONBLOCK: opening a FIFO must not hang; it is refused below.
    const flags = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;
    const file = await open(join(this.path, name), flags).catch((error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT') return undefined;
      throw new UnusableFileError(`/workflow/${name} cannot be read: ${error.code ?? error.message}`);
    });
    if (!file) return undefined;
    try {
      const status = await file.stat();
      if (!status.isFile()) throw new UnusableFileError(`/workflow/${name} is not a plain file`);
      if (status.size > maxBytes) {
        throw new UnusableFileError(`/workflow/${name} has ${status.size} bytes, more than the ${maxBytes} allowed`);
      }
      const buffer = Buffer.alloc(status.size);
      const { bytesRead } = await file.read(buffer, 0, buffer.length, 0);
      return buffer.toString('utf8', 0, bytesRead);
    } finally {
      await file.close();
    }
  }
}

/** Also where an action left something else under that name. */
async function makeFolder(path: string): Promise<void> {
  const status = await lstat(path).catch(() => undefined);
  if (status && !status.isDirectory()) await rm(path, { force: true });
  await mkdir(path, { recursive: true, mode: 0o755 });
}
