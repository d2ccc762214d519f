import { reportId, type AttemptRef, type StartedReport } from '@tinkerbell/messaging';
import type { After, Neighbours } from './action/attempts';
import { containerName } from './containers/containers';
import type { Journal } from './journal/journal';
import { Wake } from './wake';

interface Task {
  readonly attempt: AttemptRef;
  readonly done: Promise<void>;
  /** Its result is not known yet: its container may be running. */
  runs: boolean;
  /** Its result is known and a handler or a reboot is to follow: nothing new begins until that is over. */
  holds: boolean;
  /** Nothing is left of it but to reboot the machine. */
  waits: boolean;
}

/** The attempts that this worker is at work on, each by itself, and those that an earlier process of it began and nobody follows yet. */
export class Running {
  private readonly tasks = new Map<string, Task>();
  private readonly orphans = new Map<string, AttemptRef>();
  private readonly changed = new Wake();

  /** `ended`: called whenever one is over. */
  constructor(
    private readonly journal: Journal,
    private readonly bootId: string,
    private readonly canReboot: boolean,
    private readonly ended: () => void,
  ) {
    for (const { id, body } of journal.all()) {
      if (!id.endsWith(':started')) continue;
      const { workflowId, index, attempt, bootId: begunIn } = body as StartedReport;
      const finished = journal.report(reportId(workflowId, index, attempt, 'finished'));
      if (begunIn === bootId && !finished)
        this.orphans.set(keyOf(body as StartedReport), { workflowId, index, attempt });
    }
  }

  get attempts(): readonly AttemptRef[] {
    return [...this.tasks.values()].map(({ attempt }) => attempt);
  }

  /** Those whose containers may be running. */
  get running(): readonly AttemptRef[] {
    return [...this.tasks.values()].filter(({ runs }) => runs).map(({ attempt }) => attempt);
  }

  /** Those that have something to do but wait for the others' end. */
  get active(): number {
    return [...this.tasks.values()].filter(({ waits }) => !waits).length;
  }

  get holds(): boolean {
    return [...this.tasks.values()].some(({ holds }) => holds);
  }

  get lost(): readonly AttemptRef[] {
    return [...this.orphans.values()];
  }

  has(attempt: AttemptRef): boolean {
    return this.tasks.has(keyOf(attempt));
  }

  isLost(attempt: AttemptRef): boolean {
    return this.orphans.has(keyOf(attempt));
  }

  /** It is not wanted any more, or somebody follows it again. */
  forget(attempt: AttemptRef): void {
    if (this.orphans.delete(keyOf(attempt))) this.changed.ring();
  }

  /** `work` must not reject. `after`: when its result is known already. */
  begin(
    { workflowId, index, attempt }: AttemptRef,
    work: (neighbours: Neighbours) => Promise<void>,
    after?: After,
  ): void {
    const ref = { workflowId, index, attempt };
    const key = keyOf(ref);
    const task: Task = {
      attempt: ref,
      runs: true,
      holds: false,
      waits: false,
      done: Promise.resolve().then(() => work(neighbours)),
    };
    const neighbours: Neighbours = {
      folderTaken: (other) => this.isFolderTaken(other, key),
      closing: (next) => {
        task.runs = false;
        task.holds = next.handler !== null || this.isReboot(next);
      },
      alone: (detach) => this.alone(task, detach),
    };
    if (after) neighbours.closing(after);
    this.tasks.set(key, task);
    this.forget(ref);
    void task.done.then(() => {
      this.tasks.delete(key);
      this.changed.ring();
      this.ended();
    });
  }

  async settled(): Promise<void> {
    while (this.tasks.size > 0) await Promise.all([...this.tasks.values()].map(({ done }) => done));
  }

  private isReboot({ reboot, bootId }: After): boolean {
    return reboot && this.canReboot && bootId === this.bootId;
  }

  private isFolderTaken(workflowId: string, self: string): boolean {
    return [...this.attempts, ...this.lost].some((other) => {
      if (other.workflowId !== workflowId || keyOf(other) === self) return false;
      return !this.journal.hasOwnFolder(containerName(other.workflowId, other.index, other.attempt));
    });
  }

  private async alone(task: Task, detach: AbortSignal): Promise<void> {
    task.waits = true;
    this.changed.ring();
    while (!detach.aborted) {
      const seen = this.changed.seen;
      if (this.active === 0 && this.orphans.size === 0) return;
      await this.changed.sleep(seen, longMs, detach);
    }
  }
}

/** Every change rings. */
const longMs = 60_000;

function keyOf({ workflowId, index, attempt }: AttemptRef): string {
  return `${workflowId}:${index}:${attempt}`;
}
