import type { AnyEvent, JsonObject, Recorded } from '@tinkerbell/events';
import { shortNames } from '@tinkerbell/projections';

/** One line of the live view. `seconds` since power-on. */
export interface Step {
  readonly name: string;
  readonly seconds: number;
  readonly detail: string;
}

const size = (bytes: number) => (bytes >= 1e6 ? `${(bytes / 1e6).toFixed(1)} MB` : `${Math.ceil(bytes / 1e3)} kB`);

type Told = Pick<Step, 'name' | 'detail'>;

/** What an event means to somebody who watches the machine; undefined for those that are not a step of their own. */
function tell(event: AnyEvent): Told | undefined {
  switch (event.type) {
    case 'LeaseBound':
      return {
        name: 'DHCP lease',
        detail: `${event.data.ip} for ${event.data.mac?.replaceAll('-', ':') ?? 'a client'}`,
      };
    case 'NetbootOffered':
      return {
        name: 'boot file offered',
        detail: `${event.data.bootFile} (${event.data.client}, arch ${event.data.arch})`,
      };
    case 'BootScriptServed':
      return {
        name: event.data.format === 'iPXE' ? 'iPXE script' : 'configuration',
        detail: event.data.script === 'local' ? 'boot your own disk' : event.data.script,
      };
    case 'BootFileServed':
      return {
        name: event.data.role === 'other' ? 'download' : event.data.role,
        detail: `${event.data.file} ${size(event.data.bytes)} by ${event.data.protocol}`,
      };
    case 'OsieStarted':
      return { name: 'OSIE', detail: `in-memory OS up, ${event.data.uptimeSeconds.toFixed(1)} s after its kernel` };
    case 'WorkerEnrolled':
      return { name: 'enrolled', detail: 'one-time token exchanged for a credential of its own' };
    case 'WorkerReady':
      return { name: 'worker', detail: `${event.data.engine}, node ${event.data.node}` };
    case 'MachinePhonedHome':
      return { name: 'own disk', detail: `the installed system phones home: ${event.data.body}`.slice(0, 120) };
    case 'WorkflowTimedOut':
      return { name: 'workflow', detail: `timed out after ${event.data.globalTimeoutSeconds} s` };
    case 'WorkflowFinished':
      return { name: 'workflow', detail: endings[event.data.status] };
    default:
      return undefined;
  }
}

const endings = { success: 'succeeded', failed: 'FAILED', timeout: 'TIMED OUT', cancelled: 'cancelled' } as const;

/** `; outputs: disk /dev/vda, seconds 7`: texts of machines are long and are cut. */
function outputsText(outputs: JsonObject): string {
  const each = Object.entries(outputs).map(([key, value]) => {
    const text = typeof value === 'string' ? value : JSON.stringify(value);
    return `${key} ${text.length > 16 ? `${text.slice(0, 12)}…` : text}`;
  });
  return each.length === 0 ? '' : `; outputs: ${each.join(', ')}`;
}

/** Follows the log and turns it into steps; names actions by their place in the workflow. */
export class Story {
  readonly steps: Step[] = [];
  private actions: readonly string[] = [];

  constructor(
    private readonly since: number,
    private readonly onStep: (step: Step) => void,
  ) {}

  add({ event, at }: Recorded<AnyEvent>): void {
    if (event.type === 'WorkflowCreated') this.actions = shortNames(event.data.actions);
    const told = this.tellAction(event) ?? tell(event);
    if (!told) return;
    const step = { ...told, seconds: Math.max(0, (Date.parse(at) - this.since) / 1000) };
    this.steps.push(step);
    this.onStep(step);
  }

  private tellAction(event: AnyEvent): Told | undefined {
    if (!event.type.startsWith('Action') || !('index' in event.data) || event.data.index === null) return undefined;
    const name = `action ${this.actions[event.data.index] ?? event.data.index}`;
    switch (event.type) {
      case 'ActionStarted':
        return { name, detail: event.data.attempt > 1 ? `started, attempt ${event.data.attempt}` : 'started' };
      case 'ActionPermitGranted':
        return { name, detail: `permitted, once, to overwrite disk ${event.data.disks.join(', ')} (serial number)` };
      case 'ActionSucceeded':
        return { name, detail: `succeeded in ${event.data.seconds} s${outputsText(event.data.outputs)}` };
      case 'ActionSkipped':
        return { name, detail: `skipped: ${event.data.reason || event.data.by}` };
      case 'ActionAttemptFailed':
        return { name, detail: `${event.data.outcome}, is tried again: ${event.data.message}` };
      case 'ActionOutcomeUnknown':
        return { name, detail: 'the machine was started anew in the middle of it' };
      case 'ActionOutcomeResolved':
        return { name, detail: `by its onReboot: ${event.data.as}` };
      case 'ActionFailed':
        return {
          name,
          detail: `FAILED (${event.data.reason}, exit code ${event.data.exitCode}): ${event.data.message}`,
        };
      case 'ActionTimedOut':
        return { name, detail: `TIMED OUT after ${event.data.seconds} s` };
      case 'ActionHandlerFinished':
        return { name, detail: `${event.data.handler} ran: ${event.data.message}` };
      default:
        return undefined;
    }
  }
}
