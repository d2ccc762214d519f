import { subjects, type Assignment } from '@tinkerbell/messaging';
import { containerName, workerLabel, type Containers, type ContainerSpec } from '../containers/containers';
import { qualifyImage, registryOf } from '../containers/image-name';
import type { Journal } from '../journal/journal';
import { ContainerOutput } from '../output/container-output';
import type { OutputShipper } from '../output/output-shipper';
import { errorText, insist } from '../pace';
import type { Reporter } from '../reporter';
import type { Server } from '../server';
import type { WorkerSettings } from '../settings';
import type { Wake } from '../wake';
import type { WorkerLog } from '../worker-log';
import { ContainerRun, type RunRequest } from './container-run';
import type { Ending } from './ending';
import { AttemptSecrets } from './secrets';
import { WorkflowFolder } from './workflow-folder';

export interface AttemptPorts {
  readonly containers: Containers;
  readonly journal: Journal;
  readonly reporter: Reporter;
  readonly server: Server;
  readonly shipper: OutputShipper;
  readonly wake: Wake;
  readonly log: WorkerLog;
}

let notes = 0;

/** One try of one action on this machine: its folder, its secrets, its containers and what is said of it. */
export class Attempt {
  readonly folder: WorkflowFolder;
  readonly secrets: AttemptSecrets;

  constructor(
    readonly assignment: Assignment,
    private readonly settings: WorkerSettings,
    private readonly ports: AttemptPorts,
  ) {
    const { workflowId, index, attempt, secretNames } = assignment;
    const own = ports.journal.hasOwnFolder(this.container()) ? `${workflowId}_${index}_${attempt}` : undefined;
    this.folder = new WorkflowFolder(settings.workflowDirectory, workflowId, own);
    this.secrets = new AttemptSecrets(ports.server, { workflowId, index, attempt }, secretNames ?? []);
  }

  container(suffix = ''): string {
    const { workflowId, index, attempt } = this.assignment;
    return containerName(workflowId, index, attempt, suffix);
  }

  /** A line of the worker's own in the action's log. */
  readonly say = (line: string): void => {
    const { workflowId, index, attempt, action } = this.assignment;
    const shown = this.secrets.masked(line);
    const subject = subjects.log(this.settings.workerId, workflowId, index);
    const id = `${this.container()}:worker:${process.pid}:${Date.now()}:${notes++}`;
    this.ports.shipper.ship(subject, id, { at: new Date().toISOString(), stream: 'worker', attempt, line: shown });
    this.ports.log.info(`${action.name}: ${shown}`);
  };

  spec(command: readonly string[], suffix = ''): ContainerSpec {
    const { workflowId, action, resumed, secretNames = [] } = this.assignment;
    const { registry, workerId } = this.settings;
    const labels = { [workerLabel]: workerId, 'tinkerbell.workflow': workflowId, 'tinkerbell.action': action.name };
    const given = action.environment.filter((each) => !secretNames.includes(each.slice(0, each.indexOf('='))));
    return {
      name: this.container(suffix),
      image: qualifyImage(action.image, registry?.address ?? ''),
      command,
      environment: [...given, ...(resumed ? ['TINKERBELL_RESUMED=1'] : [])],
      binds: [...this.folder.binds, ...action.volumes],
      pid: action.pid,
      labels,
    };
  }

  output(suffix = ''): ContainerOutput {
    const { workflowId, index, attempt } = this.assignment;
    const { containers, shipper } = this.ports;
    const { workerId, stateDirectory, captureOutput } = this.settings;
    const name = this.container(suffix);
    const subject = subjects.log(workerId, workflowId, index);
    return new ContainerOutput(
      containers,
      name,
      stateDirectory,
      (stream, number, line, settled) => {
        if (!captureOutput) return settled();
        const body = { at: new Date().toISOString(), stream, attempt, line };
        shipper.ship(subject, `${name}:${stream}:${number}`, body, settled);
      },
      () => this.secrets.mask,
    );
  }

  /** Brings one of its containers to its end. Throws DetachedError. */
  run(request: Omit<RunRequest, 'auth' | 'say' | 'recall'>): Promise<Ending> {
    const { containers, journal } = this.ports;
    const { registry, pace } = this.settings;
    const auth = registry && registryOf(request.spec.image) === registry.address ? registry : undefined;
    const recall = async (stop: AbortSignal) => void (await this.loadSecrets(stop));
    return new ContainerRun(containers, journal, pace, { ...request, auth, say: this.say, recall }).end();
  }

  /** Undefined when the values are known; otherwise why not, and no output is passed on. */
  async loadSecrets(stop: AbortSignal): Promise<string | undefined> {
    const refused = await this.secrets.load(this.settings.pace, stop, this.say);
    if (refused !== undefined) this.say(`no secrets, so no output either, which may hold some: ${refused}`);
    return refused;
  }

  /** The container must go, but a stubborn one must not hold up the result; what is left is swept at the next start. */
  async discard(name: string, output: ContainerOutput): Promise<void> {
    const { containers, log } = this.ports;
    const limit = AbortSignal.timeout(this.settings.pace.closeMs);
    await insist(
      this.settings.pace,
      limit,
      () => containers.remove(name),
      () => undefined,
    ).catch((error: unknown) => log.warn(`container ${name} is not removed: ${errorText(error)}`));
    output.forget();
  }
}
