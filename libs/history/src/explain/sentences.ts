import { formatMac } from '@tinkerbell/domain';
import type { AnyEvent, FailureReason, HardwareRecord, Recorded } from '@tinkerbell/events';
import { took } from '../duration-text';

/** Words for what events name by number only. */
export interface Names {
  /** Of an action of a workflow, in quotes; `action 3` when it is not known. */
  action(workflowId: string, index: number): string;
}

type Sentence<E extends AnyEvent> = (recorded: Recorded<E>, names: Names) => string;
type Sentences = { readonly [T in AnyEvent['type']]: Sentence<Extract<AnyEvent, { readonly type: T }>> };

/** Event type → what it means, a sentence without its full stop. A new event type goes here: without, this does not compile. */
const sentences = {
  HardwareRegistered: ({ event, metadata }) =>
    `${who(metadata.actor)} registered the machine${interfaces(event.data.hardware)}`,
  HardwareUpdated: ({ event, metadata }) =>
    `${who(metadata.actor)} changed the record of the machine${interfaces(event.data.hardware)}`,
  HardwareDeleted: ({ metadata }) =>
    `${who(metadata.actor)} deleted the record of the machine: it gets no answer any more`,
  TemplateCreated: ({ event, metadata, version }) =>
    `${who(metadata.actor)} made the template "${event.data.name}" (version ${version})`,
  TemplateUpdated: ({ event, metadata, version }) =>
    `${who(metadata.actor)} changed the template "${event.data.name}" (version ${version})`,
  TemplateDeleted: ({ metadata }) => `${who(metadata.actor)} deleted the template`,
  LeaseBound: ({ event: { data } }) =>
    `the machine asked for an address and was leased ${data.ip} for ${took(data.leaseSeconds)}${relay(data.giaddr)}`,
  LeaseRenewed: ({ event: { data } }) =>
    `the machine renewed its lease of ${data.ip}: it is good until ${data.expiresAt}`,
  LeaseReleased: ({ event }) => `the machine gave ${event.data.ip} back`,
  LeaseDeclined: ({ event: { data } }) =>
    `the machine declined ${data.ip}, which it found in use by another${because(data.message)}`,
  LeaseRefused: ({ event: { data } }) =>
    `the machine asked for ${data.requested} and was refused${because(data.reason)}`,
  NetbootOffered: ({ event: { data } }) =>
    `the machine asked to boot from the network (${data.client}${data.arch === null ? '' : `, architecture ${data.arch}`}) ` +
    `and was offered ${data.bootFile}`,
  BootFileServed: ({ event: { data } }) =>
    `it loaded ${data.file} (${data.role === 'other' ? '' : `${data.role}, `}${data.bytes} bytes) ` +
    `by ${data.protocol.toUpperCase()} in ${took(data.seconds)}`,
  BootScriptServed: ({ event: { data } }) => bootScripts[data.script](data.expiresAt),
  OsieStarted: ({ event }) => `the in-memory OS was up ${took(event.data.uptimeSeconds)} after its kernel started`,
  MachinePhonedHome: ({ event: { data } }) =>
    `the installed system came up and called home from ${data.address}${data.kind === '' ? '' : ` (${data.kind})`}`,
  EnrolmentTokenIssued: ({ event, metadata }) =>
    `${who(metadata.actor)} had a one-time token made for its worker, good until ${event.data.expiresAt}`,
  WorkerEnrolled: ({ event: { data } }) =>
    `its worker enrolled from ${data.address} and got a credential that is good until ${data.expiresAt}`,
  WorkerReady: ({ event: { data } }) => `its worker asked for work (${data.engine}, kernel ${data.kernel})`,
  WorkflowCreated: ({ event: { data }, metadata, aggregateId }) =>
    `${who(metadata.actor)} created workflow ${aggregateId} from version ${data.templateVersion} of the template ` +
    `"${data.templateName}" for ${devices(data.devices)}: ${data.actions.length} action${data.actions.length === 1 ? '' : 's'}`,
  ActionStarted: ({ event: { data }, aggregateId }, names) =>
    `the worker started ${names.action(aggregateId, data.index)}${data.attempt > 1 ? `, attempt ${data.attempt}` : ''}`,
  ActionSucceeded: ({ event: { data }, aggregateId }, names) =>
    `${names.action(aggregateId, data.index)} succeeded in ${took(data.seconds)}`,
  ActionFailed: ({ event: { data }, aggregateId }, names) =>
    `${names.action(aggregateId, data.index)} failed after ${took(data.seconds)}: ` +
    `${data.exitCode === null ? failureTexts[data.reason] : `exit code ${data.exitCode}`}${because(data.message)}`,
  ActionTimedOut: ({ event: { data }, aggregateId }, names) =>
    `${names.action(aggregateId, data.index)} ran out of time after ${took(data.seconds)} and was ` +
    `${data.firedBy === 'worker' ? 'stopped by its worker' : 'given up by the server'}${because(data.message)}`,
  ActionHandlerFinished: ({ event: { data }, aggregateId }, names) =>
    `the ${data.handler} command of ${names.action(aggregateId, data.index)} ` +
    `${data.exitCode === null ? 'did not run' : `ended with exit code ${data.exitCode}`}${because(data.message)}`,
  WorkflowTimedOut: ({ event: { data }, aggregateId }, names) =>
    `the workflow ran out of its ${took(data.globalTimeoutSeconds)}` +
    `${data.index === null ? '' : ` during ${names.action(aggregateId, data.index)}`}`,
  WorkflowDataUpdated: ({ event: { data } }) =>
    `version ${data.version} of the workflow's data was stored${data.action === '' ? '' : ` by "${data.action}"`}`,
  WorkflowDeleted: ({ metadata }) => `${who(metadata.actor)} deleted the workflow`,
} satisfies Sentences;

/** An event of a newer release is told by its name: `ActionRetried` → `action retried`. */
export function sentenceOf(recorded: Recorded<AnyEvent>, names: Names): string {
  const { type } = recorded.event;
  if (!Object.hasOwn(sentences, type)) return byName(recorded, names);
  // The table has for each type the sentence that takes its events.
  return (sentences[type] as Sentence<AnyEvent>)(recorded, names);
}

function byName({ event, aggregateId, metadata }: Recorded, names: Names): string {
  const words = event.type.replace(/(?<=[a-z0-9])(?=[A-Z])/g, ' ').toLowerCase();
  const { index } = (event.data ?? {}) as { readonly index?: unknown };
  const about = typeof index === 'number' ? ` (${names.action(aggregateId, index)})` : '';
  return `${words}${about}, by ${who(metadata.actor)}`;
}

export const failureTexts = {
  exit: 'it exited',
  pull: 'its image could not be pulled',
  create: 'its container could not be made',
  start: 'its container could not be started',
  engine: 'the container engine failed',
  refused: 'its worker refused it',
  'unknown-outcome': 'the machine restarted meanwhile, so nobody knows whether it took effect',
} as const satisfies Readonly<Record<FailureReason, string>>;

const bootScripts = {
  osie: (expiresAt: string | null) =>
    `it was told to boot the in-memory OS${expiresAt === null ? '' : `, with a one-time token that is good until ${expiresAt}`}`,
  local: () => 'it was told to boot its own disk',
  custom: () => "it was given its record's own iPXE script",
} as const;

/** `user:admin` → `admin`. */
function who(actor: string): string {
  const [kind = '', name] = actor.split(/:(.*)/s);
  if (kind === 'worker') return 'the worker';
  if (kind === 'reactor') return 'the server';
  return name === undefined || name === '' ? kind : name;
}

function interfaces({ network }: HardwareRecord): string {
  const texts = network.interfaces.map(({ dhcp }) =>
    [dhcp.hostname, formatMac(dhcp.mac), dhcp.ip?.address ?? ''].filter((part) => part !== '').join(' '),
  );
  return texts.length === 0 ? '' : `: ${texts.join(', ')}`;
}

function devices(given: Readonly<Record<string, string>>): string {
  return Object.entries(given)
    .map(([name, address]) => `${name}=${address}`)
    .join(', ');
}

const relay = (giaddr: string | null) => (giaddr === null ? '' : `, through the relay ${giaddr}`);
const because = (message: string) => (message === '' ? '' : ` (${message})`);
