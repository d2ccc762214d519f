import {
  EngineRefusedError,
  type Containers,
  type ContainerSpec,
  type ContainerStatus,
  type RegistryAuth,
} from '../containers/containers';
import type { Journal } from '../journal/journal';
import type { ContainerOutput } from '../output/container-output';
import { pause } from '@tinkerbell/messaging';
import { errorText, insist, type Pace } from '../pace';
import { DetachedError, type Ending } from './ending';
import { Halt } from './go-on';
import { timeLimit } from './time-limit';

/** What a new container gets beside its spec, and until when (`performance.now()`) it may be started. */
export interface Admission {
  readonly kind: 'admitted';
  readonly environment: readonly string[];
  readonly startBeforeMs: number;
}

export interface RunRequest {
  readonly spec: ContainerSpec;
  readonly auth: RegistryAuth | undefined;
  readonly output: ContainerOutput;
  /** Called before a container is made, not when one was found again. */
  readonly prepare: (stop: AbortSignal) => Promise<void>;
  /** Called when the image is here, just before a container is made; an ending when it must not be. */
  readonly admit: (stop: AbortSignal) => Promise<Admission | Ending>;
  /** Called before the output of a container that was found again is read. */
  readonly recall: (stop: AbortSignal) => Promise<void>;
  /** What is left of its time; may be 0 or less for one that was found again. */
  readonly remainingMs: number;
  /** Aborted with a Halt when the server does not want it to go on. */
  readonly refused: AbortSignal;
  /** Aborted when the worker stops. */
  readonly detach: AbortSignal;
  /** A line of the worker's own for the action's log. */
  readonly say: (line: string) => void;
}

/** Tries of an image that the registry says it does not have, or not for us. */
const triesWhenRefused = 3;
/** How long the output of an ended container may take to arrive. */
const drainMs = 5_000;
/** 128 and SIGKILL. */
const killedBySignal = 137;

/**
 * Brings one container to its end: a new one, or the one that an earlier worker process began, which is found by its name.
 * Throws DetachedError when the worker stops first; the container is then left as it is.
 */
export class ContainerRun {
  private readonly limit;
  private readonly stop: AbortSignal;
  private admission: Admission = { kind: 'admitted', environment: [], startBeforeMs: Infinity };

  constructor(
    private readonly containers: Containers,
    private readonly journal: Journal,
    private readonly pace: Pace,
    private readonly request: RunRequest,
  ) {
    this.limit = timeLimit(request.remainingMs);
    this.stop = AbortSignal.any([this.limit.signal, request.refused, request.detach]);
  }

  async end(): Promise<Ending> {
    try {
      return (await this.begin()) ?? (await this.follow());
    } catch (error) {
      if (!this.stop.aborted) throw error;
      return await this.stopped();
    } finally {
      this.limit.clear();
    }
  }

  /** Gets the container running and its output read. An ending, when it does not come to that. */
  private async begin(): Promise<Ending | undefined> {
    const { spec, output, say } = this.request;
    const found = await this.patiently(() => this.containers.inspect(spec.name));
    if (found) await this.request.recall(this.stop);
    if (found && found.state !== 'created') {
      say(`found the container again, ${found.state === 'running' ? 'it is running' : 'it has ended'}`);
      await this.patiently(() => output.listen('replay'));
      return undefined;
    }
    if (!found) {
      if (this.journal.hadEffect(spec.name)) {
        const message = 'the container of this attempt is gone, nobody knows what it did';
        return { kind: 'broken', reason: 'unknown-outcome', message };
      }
      const broken = (await this.prepare()) ?? (await this.pull()) ?? (await this.admit()) ?? (await this.create());
      if (broken) return broken;
    }
    return this.start(found);
  }

  private async prepare(): Promise<Ending | undefined> {
    try {
      await this.request.prepare(this.stop);
      return undefined;
    } catch (error) {
      if (this.stop.aborted) throw error;
      return { kind: 'broken', reason: 'create', message: `the workflow's folder cannot be made: ${errorText(error)}` };
    }
  }

  private async admit(): Promise<Ending | undefined> {
    const { detach, refused } = this.request;
    try {
      const answer = await this.request.admit(this.stop);
      if (answer.kind !== 'admitted') return answer;
      this.admission = answer;
      return undefined;
    } catch (error) {
      if (detach.aborted || refused.aborted || !this.stop.aborted) throw error;
      return {
        kind: 'broken',
        reason: 'refused',
        message: `nothing ran, the server did not answer: ${errorText(error)}`,
      };
    }
  }

  private async create(): Promise<Ending | undefined> {
    const { spec } = this.request;
    const { environment } = this.admission;
    this.stop.throwIfAborted();
    this.journal.append({ t: 'effect', container: spec.name });
    for (;;) {
      try {
        await this.containers.create({ ...spec, environment: [...spec.environment, ...environment] });
        return undefined;
      } catch (error) {
        const broken = this.refusal('create', 'the container cannot be created', error) ?? this.expired();
        if (broken) return broken;
        // The engine went away in the middle; it may have been done all the same.
        await pause(this.pace.retryMs, this.stop);
        if (await this.patiently(() => this.containers.inspect(spec.name))) return undefined;
      }
    }
  }

  /** Once: after a start that got no answer the container may have run, even if a restarted engine says `created`. */
  private async start(found: ContainerStatus | undefined): Promise<Ending | undefined> {
    const { spec, output } = this.request;
    if (found && this.journal.hadEffect(startOf(spec.name))) return neverStarted(found);
    await this.patiently(() => output.listen('attach'));
    this.stop.throwIfAborted();
    const late = this.expired();
    if (late) return late;
    this.journal.append({ t: 'effect', container: startOf(spec.name) });
    try {
      await this.containers.start(spec.name);
      return undefined;
    } catch (error) {
      const broken = this.refusal('start', 'the container does not start', error);
      if (broken) return broken;
    }
    const status = await this.patiently(() => this.containers.inspect(spec.name));
    if (status?.state === 'created') return neverStarted(status);
    if (status) await this.patiently(() => output.listen('replay'));
    return undefined;
  }

  private expired(): Ending | undefined {
    if (performance.now() < this.admission.startBeforeMs) return undefined;
    const message = 'nothing ran, the permit expired before the container could be started';
    return { kind: 'broken', reason: 'refused', message };
  }

  /** The ending when the engine said no; otherwise it did not answer, which is told. */
  private refusal(reason: 'create' | 'start', what: string, error: unknown): Ending | undefined {
    this.stop.throwIfAborted();
    const message = `${what}: ${errorText(error)}`;
    if (error instanceof EngineRefusedError) return { kind: 'broken', reason, message };
    this.request.say(message);
    return undefined;
  }

  /** Transient trouble is tried until the action's time is over; an image that is refused only a few times. */
  private async pull(): Promise<Ending | undefined> {
    const { spec, auth, say } = this.request;
    const giveUp = new AbortController();
    const signal = AbortSignal.any([this.stop, giveUp.signal]);
    let tried = 0;
    try {
      await insist(
        this.pace,
        signal,
        () => this.containers.pull(spec.image, auth, say, signal),
        (error, tries) => {
          tried = tries;
          say(`pull of ${spec.image} failed, try ${tries}: ${errorText(error)}`);
          if (tries >= triesWhenRefused && isFinal(errorText(error))) giveUp.abort();
        },
      );
      return undefined;
    } catch (error) {
      if (this.request.detach.aborted || this.request.refused.aborted) throw error;
      const message = `image ${spec.image} cannot be pulled (${tried || 1} tries): ${errorText(error)}`;
      return { kind: 'broken', reason: 'pull', message };
    }
  }

  /** Waits for the end, over an engine that goes away and comes back. */
  private async follow(): Promise<Ending> {
    const { spec, output, say } = this.request;
    for (;;) {
      const failure = await this.containers.wait(spec.name, this.stop).then(
        () => undefined,
        (error: unknown) => errorText(error),
      );
      this.stop.throwIfAborted();
      const status = await this.patiently(() => this.containers.inspect(spec.name));
      if (!status) {
        const why = failure === undefined ? '' : `: ${failure}`;
        return { kind: 'broken', reason: 'engine', message: `the container vanished while it ran${why}` };
      }
      if (failure !== undefined) {
        say(`the engine was away (${failure}), the container is ${status.state}`);
        await pause(this.pace.retryMs, this.stop);
        await this.patiently(() => output.listen('replay'));
      }
      if (status.state === 'exited') return this.exited(status);
    }
  }

  private async exited({ exitCode, oomKilled, error }: ContainerStatus): Promise<Ending> {
    const { output, spec } = this.request;
    await output.finish(drainMs);
    // The engine hears from the kernel that memory was short by another way than that the process ended, and maybe later.
    const isUnexplained = exitCode === killedBySignal && !oomKilled;
    if (isUnexplained) await pause(this.pace.retryMs, this.stop);
    const later = isUnexplained ? await this.patiently(() => this.containers.inspect(spec.name)) : undefined;
    return { kind: 'exited', exitCode, oomKilled: later?.oomKilled ?? oomKilled, engineError: error };
  }

  private async stopped(): Promise<Ending> {
    const { detach, refused, output, spec, say } = this.request;
    if (detach.aborted) {
      output.save();
      throw new DetachedError(`left ${spec.name} as it is`);
    }
    const halt = refused.aborted ? haltOf(refused.reason) : undefined;
    say(halt ? `stopping the container: ${halt.message}` : 'out of time, stopping the container');
    const graceMs = halt?.cancelled === false ? 0 : this.pace.stopGraceMs;
    const kill = await this.kill(graceMs);
    await output.finish(drainMs);
    const { status } = kill;
    const exitCode = status?.state === 'exited' ? status.exitCode : null;
    if (!halt) return { kind: 'timed-out', exitCode };
    if (!halt.cancelled) return { kind: 'refused', why: halt.message, exitCode };
    // It was faster than we: what it did is what counts.
    if (status?.state === 'exited' && !kill.asked) return this.exited(status);
    return {
      kind: 'cancelled',
      why: halt.message,
      how: howStopped(kill, graceMs, this.journal.hadEffect(spec.name)),
      exitCode,
    };
  }

  private async kill(graceMs: number): Promise<Kill> {
    const { spec, detach } = this.request;
    let asked = false;
    return insist(
      this.pace,
      detach,
      async () => {
        const startMs = performance.now();
        if ((await this.containers.inspect(spec.name))?.state === 'running') {
          asked = true;
          await this.containers.stop(spec.name, graceMs);
        }
        const status = await this.containers.inspect(spec.name);
        if (status?.state === 'running') throw new Error(`${spec.name} does not end`);
        return { status, asked, ms: performance.now() - startMs };
      },
      (error) => this.request.say(`stopping failed: ${errorText(error)}`),
    );
  }

  private patiently<T>(work: () => Promise<T>): Promise<T> {
    return insist(this.pace, this.stop, work, (error, tries) => {
      if (tries === 1) this.request.say(`the container engine does not answer: ${errorText(error)}`);
    });
  }
}

interface Kill {
  readonly status: ContainerStatus | undefined;
  /** It ran when we came. */
  readonly asked: boolean;
  readonly ms: number;
}

const sigkilled = 128 + 9;

function howStopped({ status, asked, ms }: Kill, graceMs: number, existed: boolean): string {
  if (!status) return existed ? 'stopped, its container is gone' : 'stopped before its container was created';
  if (status.state !== 'exited' || !asked) return 'stopped before its container was started';
  if (status.exitCode === sigkilled && ms >= graceMs) return `stopped with SIGKILL ${graceMs / 1000} s after SIGTERM`;
  return `stopped with SIGTERM, exit code ${status.exitCode}`;
}

function haltOf(reason: unknown): Halt {
  return reason instanceof Halt ? reason : new Halt(false, String(reason));
}

/** The journal's mark that the container was about to be started. */
function startOf(container: string): string {
  return `${container}:start`;
}

function neverStarted({ error }: ContainerStatus): Ending {
  if (error !== '') return { kind: 'broken', reason: 'start', message: `the container does not start: ${error}` };
  const message = 'the engine or the worker ended while the container was being started, nobody knows whether it ran';
  return { kind: 'broken', reason: 'unknown-outcome', message };
}

/** The registry understood and said no. Everything else may pass. */
function isFinal(text: string): boolean {
  return /manifest unknown|not found|unauthorized|denied|no basic auth|invalid reference|name unknown|authentication required/i.test(
    text,
  );
}
