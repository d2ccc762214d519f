/** What the worker needs of a container engine. `docker.ts` is the real one, `fake.ts` the one for unit specs. */
export abstract class Containers {
  /** Name and version of the engine; rejects while it does not answer. */
  abstract version(): Promise<string>;
  /**
   * Fetches an image by its full name. Rejects when the registry or the stream reports an error: the engine answers 200 before
   * it knows, so the error may only be in the stream.
   */
  abstract pull(
    image: string,
    auth: RegistryAuth | undefined,
    onProgress: (line: string) => void,
    signal: AbortSignal,
  ): Promise<void>;
  /** Throws EngineRefusedError. */
  abstract create(spec: ContainerSpec): Promise<void>;
  /** Undefined when there is no such container. */
  abstract inspect(name: string): Promise<ContainerStatus | undefined>;
  /** Throws EngineRefusedError. */
  abstract start(name: string): Promise<void>;
  /**
   * Delivers what the container writes. `attach`: from now on, to be called before `start`. `replay`: everything since its
   * start, then what follows. Resolves once listening; `ended` resolves when there will be no more.
   */
  abstract output(
    name: string,
    from: 'attach' | 'replay',
    sink: OutputSink,
  ): Promise<{ readonly ended: Promise<void> }>;
  /** Resolves when the container has ended, also when it already had. */
  abstract wait(name: string, signal: AbortSignal): Promise<void>;
  /** SIGTERM, then SIGKILL after the grace; 0 kills at once. A container that already ended is no error. */
  abstract stop(name: string, graceMs: number): Promise<void>;
  /** With its anonymous volumes, running or not. No such container is no error. */
  abstract remove(name: string): Promise<void>;
  /** Names of this worker's containers, ended ones included. */
  abstract list(workerId: string): Promise<readonly string[]>;
}

/** The engine understood and said no. Any other rejection of create and start leaves open whether it was done. */
export class EngineRefusedError extends Error {
  override readonly name = 'EngineRefusedError';
}

export interface RegistryAuth {
  readonly address: string;
  readonly username: string;
  readonly password: string;
}

export interface ContainerSpec {
  readonly name: string;
  readonly image: string;
  readonly command: readonly string[];
  readonly environment: readonly string[];
  /** `host:container[:ro]`. */
  readonly binds: readonly string[];
  /** `host` or empty. */
  readonly pid: string;
  readonly labels: Readonly<Record<string, string>>;
}

export interface ContainerStatus {
  readonly state: 'created' | 'running' | 'exited';
  /** Meaningful once exited. */
  readonly exitCode: number;
  readonly oomKilled: boolean;
  /** What the engine itself has to say of it, mostly nothing. */
  readonly error: string;
}

export type OutputSink = (stream: 'stdout' | 'stderr', chunk: Buffer) => void;

/** On every container of ours; its value is the worker's id. */
export const workerLabel = 'tinkerbell.worker';

/** The same name for the same attempt, whatever happened to the worker in between: how a restarted one finds it again. */
export function containerName(workflowId: string, index: number, attempt: number, suffix = ''): string {
  return `tinkerbell_${workflowId}_${index}_${attempt}${suffix}`;
}
