import Docker from 'dockerode';
import { LineSplitter } from '../output/line-splitter';
import { pause } from '@tinkerbell/messaging';
import { errorText } from '../pace';
import {
  Containers,
  EngineRefusedError,
  workerLabel,
  type ContainerSpec,
  type ContainerStatus,
  type OutputSink,
  type RegistryAuth,
} from './containers';
import { FrameReader } from './docker-frames';
import { PullProgress } from './pull-progress';

/** What one container may keep in the engine's own log; the state of a machine in memory is its RAM. */
const logOptions = { 'max-size': '32m', 'max-file': '2' };
const answerMs = 30_000;
const removalPolls = 50;
const removalPollMs = 100;

/** A Docker-compatible engine behind a Unix socket (Docker, or podman's API service). */
export class DockerContainers extends Containers {
  private readonly docker: Docker;

  /** `checkMs`: how often a wait looks for itself. */
  constructor(
    socketPath: string,
    private readonly checkMs = 5_000,
  ) {
    super();
    this.docker = new Docker({ socketPath });
  }

  async version(): Promise<string> {
    const { Version, Components } = await soon(this.docker.version());
    const name = Components?.[0]?.Name ?? 'engine';
    return `${name} ${Version}`;
  }

  async pull(
    image: string,
    auth: RegistryAuth | undefined,
    onProgress: (line: string) => void,
    signal: AbortSignal,
  ): Promise<void> {
    const authconfig = auth && { username: auth.username, password: auth.password, serveraddress: auth.address };
    const options = { abortSignal: signal, ...(authconfig ? { authconfig } : {}) };
    const stream = await plainly(this.docker.pull(image, options) as Promise<AsyncIterable<Buffer>>);
    const progress = new PullProgress(onProgress);
    const splitter = new LineSplitter((line) => progress.line(line));
    for await (const chunk of stream) splitter.push(chunk);
    splitter.end();
    signal.throwIfAborted();
  }

  async create(spec: ContainerSpec): Promise<void> {
    const creating = this.docker.createContainer({
      name: spec.name,
      Image: spec.image,
      ...(spec.command.length > 0 ? { Cmd: [...spec.command] } : {}),
      Env: [...spec.environment],
      Labels: { ...spec.labels },
      Tty: false,
      AttachStdout: true,
      AttachStderr: true,
      HostConfig: {
        Privileged: true,
        NetworkMode: 'host',
        Binds: [...spec.binds],
        PidMode: spec.pid,
        LogConfig: { Type: 'json-file', Config: logOptions },
      },
    });
    await plainly(creating);
  }

  async inspect(name: string): Promise<ContainerStatus | undefined> {
    try {
      const { State } = await soon(this.docker.getContainer(name).inspect());
      const state = State.Status === 'created' ? 'created' : State.Running ? 'running' : 'exited';
      return { state, exitCode: State.ExitCode, oomKilled: State.OOMKilled, error: State.Error };
    } catch (error) {
      if (statusOf(error) === 404) return undefined;
      throw error;
    }
  }

  async start(name: string): Promise<void> {
    await plainly(this.docker.getContainer(name).start());
  }

  async output(name: string, from: 'attach' | 'replay', sink: OutputSink): Promise<{ readonly ended: Promise<void> }> {
    const container = this.docker.getContainer(name);
    const both = { stdout: true, stderr: true } as const;
    const stream = await plainly(
      from === 'attach' ? container.attach({ stream: true, ...both }) : container.logs({ follow: true, ...both }),
    );
    const frames = new FrameReader(sink);
    stream.on('data', (chunk: Buffer) => frames.push(chunk));
    const ended = new Promise<void>((resolve) => {
      // An engine that goes away ends the stream with an error; whoever waits for the container hears of that.
      for (const event of ['end', 'close', 'error']) stream.once(event, () => resolve());
    });
    return { ended };
  }

  async wait(name: string, signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    const over = new AbortController();
    const either = AbortSignal.any([signal, over.signal]);
    try {
      // The engine answers a wait at once with headers; when it is killed after that, docker-modem never tells.
      await Promise.race([
        this.docker.getContainer(name).wait({ abortSignal: either }),
        this.untilNotRunning(name, either),
      ]);
    } finally {
      over.abort();
    }
  }

  private async untilNotRunning(name: string, signal: AbortSignal): Promise<void> {
    do {
      await pause(this.checkMs, signal);
      signal.throwIfAborted();
    } while ((await this.inspect(name))?.state === 'running');
  }

  async stop(name: string, graceMs: number): Promise<void> {
    const container = this.docker.getContainer(name);
    try {
      if (graceMs > 0) await container.stop({ t: Math.ceil(graceMs / 1000) });
      else await container.kill();
    } catch (error) {
      // 304, 409: it is not running; 404: it is gone.
      if (![304, 404, 409].includes(statusOf(error))) throw error;
    }
  }

  async remove(name: string): Promise<void> {
    const container = this.docker.getContainer(name);
    try {
      await container.remove({ force: true, v: true });
    } catch (error) {
      if (statusOf(error) === 404) return;
      if (statusOf(error) !== 409) throw error;
      // Somebody else is removing it already.
      for (let polls = 0; await this.inspect(name); polls++) {
        if (polls >= removalPolls) throw error;
        await new Promise((resolve) => setTimeout(resolve, removalPollMs));
      }
    }
  }

  async list(workerId: string): Promise<readonly string[]> {
    const filters = { label: [`${workerLabel}=${workerId}`] };
    const found = await soon(this.docker.listContainers({ all: true, filters }));
    return found.flatMap(({ Names }) => Names.slice(0, 1).map((name) => name.replace(/^\//, '')));
  }
}

/** An answer that was cut off is never told either; these come at once or not at all. */
async function soon<T>(work: Promise<T>): Promise<T> {
  const limit = new AbortController();
  const late = pause(answerMs, limit.signal).then(() => {
    throw new Error(`the engine did not answer within ${answerMs / 1000} s`);
  });
  late.catch(() => undefined);
  return Promise.race([work, late]).finally(() => limit.abort());
}

/** What the engine says of a failure without the stack of programs that passed it on: a report keeps 200 characters. */
async function plainly<T>(work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (error) {
    if (statusOf(error) === 0) throw error;
    const { message } = (error as { json?: { message?: unknown } | null }).json ?? {};
    const text = typeof message === 'string' && message !== '' ? message : errorText(error);
    throw new EngineRefusedError(text.replace(passedOnBy, '').trim(), { cause: error });
  }
}

const passedOnBy =
  /^(?:(?:failed to create (?:shim )?task[^:]*|OCI runtime create failed|runc create failed|unable to start container process|Error response from daemon): )+/;

function statusOf(error: unknown): number {
  return (error as { statusCode?: number } | null)?.statusCode ?? 0;
}
