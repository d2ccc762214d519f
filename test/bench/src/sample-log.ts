import type {
  ActionPlan,
  Aggregate,
  BootEvent,
  Event,
  HardwareEvent,
  LeaseEvent,
  WorkflowEvent,
} from '@tinkerbell/events';
import { emptyHead, encodeCommit, hashOf } from '@tinkerbell/event-store';
import { connectNats, streamNames, subjects } from '@tinkerbell/messaging';
import { startTestNats, type TestNats } from '@tinkerbell/nats';
import { headers, type MsgHdrs } from 'nats';

/** Workflows that are under way at the same time; their events lie between one another in the log. */
const underWay = 500;
const machines = 1000;
/** One of so many commits is acknowledged; nats-server holds ten thousand that it has not stored yet. */
const ackEvery = 1000;

export interface SampleLog {
  readonly workflows: number;
  /** Events of each workflow, nine at most. */
  readonly length: number;
}

/** As many workflows, run to their end, as make a log of `events` events, at least. */
export function wholeStories(events: number): SampleLog {
  return { workflows: Math.ceil((events - machines * 52) / 8.75), length: 9 };
}

export interface Story {
  readonly aggregate: Aggregate;
  readonly id: string;
  readonly events: readonly Event[];
  /** How many of them are one commit; default 1. */
  readonly together?: number;
}

const macOf = (n: number) => `02-00-00-00-${hex(n >> 8)}-${hex(n & 255)}`;
const hex = (n: number) => n.toString(16).padStart(2, '0');
const ipOf = (n: number) => `10.0.${n >> 8}.${n & 255}`;
const machineOf = (n: number) => `machine-${n % machines}`;

const at = '2026-01-01T00:00:00.000Z';

/** `length` events, nine at most: four actions, and one workflow in 20 fails at its second. */
function workflow(n: number, length: number): Story {
  const workerId = machineOf(n);
  const spec = { task: 'os-installation', image: 'image2disk', timeoutSeconds: 600, pid: '' };
  const lists = {
    command: [],
    onTimeout: [],
    onFailure: [],
    volumes: ['/dev:/dev'],
    environment: ['DEST_DISK=/dev/vda'],
  };
  const actions = [0, 1, 2, 3].map((i) => ({ ...spec, ...lists, name: `action-${i}`, workerId, plan: planOf(i) }));
  const created: WorkflowEvent = {
    type: 'WorkflowCreated',
    v: 2,
    data: {
      templateId: `template-${n % 10}`,
      templateName: `debian-${n % 10}`,
      templateVersion: 1,
      devices: { device_1: macOf(n % machines).replaceAll('-', ':') },
      globalTimeoutSeconds: 6000,
      actions,
      origin: null,
    },
  };
  const report = { bootId: `boot-${n}`, seconds: 3, finishedAt: at };
  const steps = [0, 1, 2, 3].flatMap((index): readonly WorkflowEvent[] => [
    { type: 'ActionStarted', v: 1, data: { index, attempt: 1, workerId, bootId: `boot-${n}`, startedAt: at } },
    { type: 'ActionSucceeded', v: 2, data: { index, attempt: 1, ...report, workerId, message: '', outputs: {} } },
  ]);
  const failed: WorkflowEvent = {
    type: 'ActionFailed',
    v: 1,
    data: { index: 1, attempt: 1, ...report, workerId, exitCode: 1, reason: 'exit', message: 'no such disk' },
  };
  const events = [created, ...(n % 20 === 0 ? [...steps.slice(0, 3), failed] : steps)];
  return { aggregate: 'workflow', id: `workflow-${hex(n % 251)}-${n}`, events: events.slice(0, length) };
}

function planOf(index: number): ActionPlan {
  return {
    ...{ id: `os/action-${index}`, needs: index === 0 ? [] : [index - 1], runs: 'success', condition: '', retry: null },
    ...{ approval: null, destructive: false, onReboot: 'fail', secrets: {} },
  };
}

const noTicket = { ticketHash: null, ticketExpiresAt: null };

/** Ten times from power-on to the in-memory operating system. */
function boot(n: number): Story {
  const [mac, hardwareId] = [macOf(n), machineOf(n)];
  const machine = { mac, hardwareId };
  const ip = ipOf(n);
  const offer = { ...machine, ip, arch: 0, userClass: '' };
  const once: readonly BootEvent[] = [
    { type: 'NetbootOffered', v: 3, data: { ...offer, client: 'PXEClient', bootFile: 'undionly.kpxe', ...noTicket } },
    {
      type: 'BootFileServed',
      v: 2,
      data: {
        ...machine,
        address: offer.ip,
        protocol: 'tftp',
        role: 'nbp',
        file: 'undionly.kpxe',
        bytes: 70_000,
        seconds: 0.2,
      },
    },
    { type: 'NetbootOffered', v: 3, data: { ...offer, client: 'iPXE', bootFile: 'auto.ipxe', ...noTicket } },
    {
      type: 'BootScriptServed',
      v: 3,
      data: {
        ...{ ...machine, script: 'osie', format: 'iPXE', tokenHash: 'a'.repeat(64), expiresAt: at },
        ...{ address: offer.ip, ...noTicket },
      },
    },
    { type: 'OsieStarted', v: 2, data: { ...machine, uptimeSeconds: 5 } },
  ];
  return { aggregate: 'boot', id: mac, events: Array.from({ length: 10 }, () => once).flat() };
}

function hardware(n: number): Story {
  const event: HardwareEvent = {
    type: 'HardwareRegistered',
    v: 4,
    data: {
      hardware: {
        id: machineOf(n),
        version: 0,
        metadata: {},
        network: {
          interfaces: [
            {
              dhcp: {
                mac: macOf(n),
                hostname: machineOf(n),
                lease_time: 86_400,
                name_servers: [],
                time_servers: [],
                arch: 'x86_64',
                uefi: false,
                iface_name: '',
                domain_name: '',
                ip: { address: ipOf(n), netmask: '255.255.0.0', gateway: '10.0.255.254', family: 4 },
                options: [],
                options6: [],
                vlan_id: 0,
              },
              netboot: {
                allow_pxe: true,
                allow_workflow: true,
                ipxe: { url: '', contents: '', binary: '' },
                osie: { base_url: '', kernel: '', initrd: '', kernel_params: [], console: '' },
                rescue: false,
              },
            },
          ],
        },
      },
    },
  };
  return { aggregate: 'hardware', id: machineOf(n), events: [event] };
}

function lease(n: number): Story {
  const client = { mac: macOf(n), hardwareId: machineOf(n), clientId: null };
  const holder = { ...client, ip: ipOf(n), subnet: '', origin: 'reservation', hostname: machineOf(n) } as const;
  const bound: LeaseEvent = {
    type: 'LeaseBound',
    v: 2,
    data: { ...holder, leaseSeconds: 86_400, expiresAt: at, giaddr: null },
  };
  return { aggregate: 'lease', id: `pool-${n}`, events: [bound] };
}

function* stories({ workflows, length }: SampleLog): Generator<Story> {
  for (let n = 0; n < machines; n++) yield* [hardware(n), lease(n), boot(n)];
  for (let n = 0; n < workflows; n++) yield workflow(n, length);
}

/** The commits of one story, as the product's store encodes them. */
function* commitsOf({ aggregate, id, events, together = 1 }: Story): Generator<Written> {
  const stream = subjects.stream(aggregate, id);
  let head = emptyHead;
  for (let first = 0; first < events.length; first += together) {
    const metadata = { id: `${id}-${head.version}`, actor: 'bench' };
    const bytes = encodeCommit(stream, head, events.slice(first, first + together), metadata, new Date());
    // The position is the server's to give; a commit does not tell that of its predecessor.
    head = { position: 0, version: head.version + 1, hash: hashOf(bytes) };
    yield { stream, id: metadata.id, bytes };
  }
}

interface Written {
  readonly stream: string;
  readonly id: string;
  readonly bytes: Uint8Array;
}

/** Commits of stories that take turns, as they would lie in a log. */
function* interleaved(from: Iterable<Story>): Generator<Written> {
  const source = from[Symbol.iterator]();
  const running: Generator<Written>[] = [];
  for (let turn = 0; ; turn++) {
    while (running.length < underWay) {
      const next = source.next();
      if (next.done) break;
      running.push(commitsOf(next.value));
    }
    if (running.length === 0) return;
    const at = turn % running.length;
    const commit = running[at]?.next();
    if (commit && !commit.done) yield commit.value;
    else running.splice(at, 1);
  }
}

/** A nats-server with a log as a site of 1000 machines leaves it behind. */
export async function startWithLog(sample: SampleLog, progress: (text: string) => void): Promise<TestNats> {
  // The log is written once and read often: here nothing depends on it after a power failure.
  const nats = await startTestNats({ syncInterval: '2m' });
  await writeStories(nats.engine, stories(sample), progress);
  return nats;
}

/** Appends whole streams to an empty log, several of them under way at a time. Returns the position of the last commit. */
export async function writeStories(
  engine: TestNats['engine'],
  from: Iterable<Story>,
  progress: (text: string) => void,
): Promise<number> {
  const connection = await connectNats({ ...engine, name: 'fill' });
  const js = connection.jetstream();
  const options = { expect: { streamName: streamNames.events }, timeout: 60_000 };
  let stored = 0;
  // Sent in order on one connection, so stored in order: the acknowledgement of one answers for all before it.
  const onItsWay: Promise<void>[] = [];
  const acknowledge = async ({ stream, id, bytes }: Written, position: number) => {
    const { seq } = await js.publish(stream, bytes, { ...options, msgID: id });
    if (seq !== position) throw new Error(`commit ${position} of the bench was stored at ${seq}: some were lost`);
  };
  const commits = interleaved(from)[Symbol.iterator]();
  let next = commits.next();
  while (!next.done) {
    const commit = next.value;
    next = commits.next();
    if (++stored % ackEvery === 0 || next.done) {
      onItsWay.push(acknowledge(commit, stored));
      if (onItsWay.length > 2) await onItsWay.shift();
    } else connection.publish(commit.stream, commit.bytes, { headers: withId(commit.id) });
    if (stored % 100_000 === 0) progress(`${stored} events written`);
  }
  await Promise.all(onItsWay);
  await connection.flush();
  const { state } = await (await js.jetstreamManager()).streams.info(streamNames.events);
  if (state.last_seq !== stored) throw new Error(`the log of the bench ends at ${state.last_seq}, not at ${stored}`);
  await connection.close();
  return stored;
}

function withId(id: string): MsgHdrs {
  const head = headers();
  head.set('Nats-Msg-Id', id);
  return head;
}
