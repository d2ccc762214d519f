import type { ActionSpec, Aggregate, BootEvent, BootFileRole, Event, HardwareRecord } from '@tinkerbell/events';
import { emptyHead, InMemoryEventStore, openReadModels, type EventStore } from '@tinkerbell/event-store';
import { subjects } from '@tinkerbell/messaging';
import { dhcpServerList, hardwareList, leaseList, machineList, poolList, workflowList } from '@tinkerbell/projections';
import type { DashboardPorts } from './dashboard-ports';
import { MemoryLogs } from './site.testing';

/** A log in memory with real read models over it, and a hand that writes a believable day of a small rack into it. */
export async function openStory() {
  let clock = new Date();
  let commands = 0;
  const store: EventStore = new InMemoryEventStore({ now: () => clock });
  const projections = {
    ...{ machines: machineList, workflows: workflowList, hardware: hardwareList },
    ...{ leases: leaseList, pools: poolList, dhcpServers: dhcpServerList },
  };
  const read = await openReadModels({ store, file: ':memory:', projections });
  const logs = new MemoryLogs();
  const ports: DashboardPorts = { ...read.models, logs, events: store };
  const append = async (aggregate: Aggregate, id: string, ...events: readonly Event[]) => {
    const stream = subjects.stream(aggregate, id);
    const { head = emptyHead } = await store.read(stream);
    const metadata = { id: `command-${++commands}`, actor: 'user:admin' };
    const { head: after } = await store.append(stream, events, { expected: head, metadata });
    await read.waitFor(after.position, 5000);
  };
  const at = (secondsAgo: number) => {
    clock = new Date(Date.now() - secondsAgo * 1000);
    return clock.toISOString();
  };
  return { append, at, logs, ports, close: read.close };
}

export type Story = Awaited<ReturnType<typeof openStory>>;

export interface Machine {
  readonly id: string;
  readonly name: string;
  readonly mac: string;
  readonly ip: string;
}

export function machine(number: number): Machine {
  const two = String(number).padStart(2, '0');
  return {
    id: `0eba0bf8-3772-4b4a-ab9f-6ebe93b90a${two}`,
    name: `rack7-node${two}`,
    mac: `52-54-00-99-00-${two}`,
    ip: `10.99.0.${10 + number}`,
  };
}

export async function register({ append }: Story, { id, name, mac, ip }: Machine): Promise<void> {
  const hardware: HardwareRecord = {
    id,
    version: 0,
    metadata: {},
    network: {
      interfaces: [
        {
          dhcp: {
            mac,
            hostname: name,
            lease_time: 86_400,
            name_servers: [],
            time_servers: [],
            arch: 'x86_64',
            uefi: false,
            iface_name: '',
            domain_name: '',
            ip: { address: ip, netmask: '255.255.255.0', gateway: '10.99.0.1', family: 4 },
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
  };
  await append('hardware', id, { type: 'HardwareRegistered', v: 4, data: { hardware } });
}

/** Tells several stories as one, in the order of their times. */
export async function tellInOrder(story: Story, ...tellers: readonly ((story: Story) => Promise<void>)[]) {
  const told: { readonly secondsAgo: number; readonly args: Parameters<Story['append']> }[] = [];
  let clock = 0;
  const at = (secondsAgo: number) => story.at((clock = secondsAgo));
  const append = async (...args: Parameters<Story['append']>) => void told.push({ secondsAgo: clock, args });
  for (const tell of tellers) await tell({ ...story, at, append });
  for (const { secondsAgo, args } of told.toSorted((a, b) => b.secondsAgo - a.secondsAgo)) {
    story.at(secondsAgo);
    await story.append(...args);
  }
  story.at(0);
}

const specs: readonly (readonly [name: string, image: string, timeoutSeconds: number])[] = [
  ['wipe-disk', 'disk-wipe:latest', 90],
  ['write-image', 'image2disk:latest', 600],
  ['write-netplan', 'writefile:latest', 90],
  ['reboot', 'reboot:latest', 90],
];

export async function order({ append }: Story, id: string, { id: workerId, mac }: Machine, template = 'ubuntu-24.04') {
  const actions = specs.map(([name, image, timeoutSeconds]): ActionSpec => ({
    task: 'os-installation',
    name,
    image: `registry.rack7:5000/${image}`,
    timeoutSeconds,
    command: [],
    onTimeout: [],
    onFailure: [],
    workerId,
    volumes: [],
    environment: ['TOKEN=secret'],
    pid: '',
  }));
  await append('workflow', id, {
    type: 'WorkflowCreated',
    v: 1,
    data: {
      templateId: '5f0e8bd0-6f5f-4f5a-9b7f-1a1f6b0d7a11',
      templateName: template,
      templateVersion: 1,
      devices: { device_1: mac.replaceAll('-', ':') },
      globalTimeoutSeconds: 1800,
      actions,
    },
  });
}

/** DISCOVER to a ready worker, begun so many seconds ago; `upTo` steps of it. */
export async function boot({ append, at }: Story, { id, mac, ip, name }: Machine, secondsAgo: number, upTo = 7) {
  const booting = { hardwareId: id, mac };
  const file = (protocol: 'tftp' | 'http', role: BootFileRole, path: string, bytes: number) => {
    const data = { ...booting, address: ip, protocol, role, file: path, bytes, seconds: 0.4 };
    return { type: 'BootFileServed', v: 2, data } as const;
  };
  const expiresAt = new Date(Date.now() + 86_400_000).toISOString();
  at(secondsAgo);
  const holder = { mac, hardwareId: id, clientId: null, ip, subnet: '', origin: 'reservation' } as const;
  const lease = { ...holder, hostname: name, leaseSeconds: 86_400, expiresAt, giaddr: null };
  await append('lease', 'default', { type: 'LeaseBound', v: 2, data: lease });
  const steps: readonly (readonly [after: number, event: BootEvent])[] = [
    [
      0,
      {
        type: 'NetbootOffered',
        v: 3,
        data: {
          ...{ ...booting, ip, arch: 0, client: 'PXEClient', userClass: '', bootFile: 'undionly.kpxe' },
          ...{ ticketHash: null, ticketExpiresAt: null },
        },
      },
    ],
    [0.8, file('tftp', 'nbp', 'undionly.kpxe', 70_085)],
    [
      1.9,
      {
        type: 'BootScriptServed',
        v: 3,
        data: {
          ...{ ...booting, script: 'osie', format: 'iPXE', tokenHash: 'a', expiresAt },
          ...{ address: ip, ticketHash: null, ticketExpiresAt: null },
        },
      },
    ],
    [2.7, file('http', 'kernel', '/osie/vmlinuz-x86_64', 8_400_000)],
    [4.6, file('http', 'rootfs', '/osie/rootfs-x86_64', 61_900_000)],
    [8.2, { type: 'OsieStarted', v: 2, data: { ...booting, uptimeSeconds: 3.4 } }],
  ];
  for (const [after, event] of steps.slice(0, upTo)) {
    at(secondsAgo - after);
    await append('boot', mac, event);
  }
  if (upTo <= steps.length) return;
  at(secondsAgo - 10.9);
  const data = {
    workerVersion: '0.1.0',
    hostname: name,
    kernel: '6.1.0-40-amd64',
    node: 'v24.11.0',
    engine: 'docker 20.10.24',
    cpus: 16,
    memoryBytes: 3.4e10,
    uptimeSeconds: 6,
  };
  await append('enrolment', id, { type: 'WorkerReady', v: 1, data });
}

type Step = { readonly index: number; readonly secondsAgo: number };

export async function start({ append, at }: Story, id: string, workerId: string, { index, secondsAgo }: Step) {
  const startedAt = at(secondsAgo);
  const data = { index, attempt: 1, workerId, bootId: 'b1', startedAt };
  await append('workflow', id, { type: 'ActionStarted', v: 1, data });
}

export async function succeed(story: Story, id: string, workerId: string, step: Step, seconds: number) {
  await start(story, id, workerId, step);
  const finishedAt = story.at(step.secondsAgo - seconds);
  const data = { index: step.index, attempt: 1, workerId, seconds, finishedAt, message: '' };
  await story.append('workflow', id, { type: 'ActionSucceeded', v: 1, data });
}

export async function fail(story: Story, id: string, workerId: string, step: Step, seconds: number, message: string) {
  await start(story, id, workerId, step);
  const finishedAt = story.at(step.secondsAgo - seconds);
  const data = { index: step.index, attempt: 1, workerId, seconds, finishedAt, message, reason: 'exit', exitCode: 1 };
  await story.append('workflow', id, { type: 'ActionFailed', v: 1, data });
}

export const workflowIds = {
  done: '11111111-52a2-4c1b-9d0e-7f1a2b3c4d01',
  running: '22222222-0c7e-4f53-8a44-7f1a2b3c4d02',
  failed: '33333333-91bd-4a0e-b6f1-7f1a2b3c4d03',
  pending: '44444444-6e2f-4d8c-a3c9-7f1a2b3c4d04',
} as const;

/** One machine of every kind: installed, being written, broken, waiting, booting. */
export async function tellRack(story: Story): Promise<void> {
  const [done, running, failed, pending, booting] = [1, 2, 3, 4, 5].map(machine) as [
    Machine,
    Machine,
    Machine,
    Machine,
    Machine,
  ];
  story.at(900);
  for (const each of [done, running, failed, pending, booting]) await register(story, each);
  await order(story, workflowIds.done, done);
  await boot(story, done, 700);
  await succeed(story, workflowIds.done, done.id, { index: 0, secondsAgo: 688 }, 1.8);
  await succeed(story, workflowIds.done, done.id, { index: 1, secondsAgo: 686 }, 41.3);
  await succeed(story, workflowIds.done, done.id, { index: 2, secondsAgo: 644 }, 0.9);
  await succeed(story, workflowIds.done, done.id, { index: 3, secondsAgo: 643 }, 0.6);
  story.at(612);
  const home = { hardwareId: done.id, mac: done.mac, kind: 'phone-home', body: '', address: done.ip };
  await story.append('boot', done.mac, { type: 'MachinePhonedHome', v: 1, data: home });
  story.at(420);
  await order(story, workflowIds.failed, failed);
  await boot(story, failed, 400);
  await succeed(story, workflowIds.failed, failed.id, { index: 0, secondsAgo: 388 }, 2.1);
  const fault = 'checksum mismatch: expected 9f2c41, got 71d0aa';
  await fail(story, workflowIds.failed, failed.id, { index: 1, secondsAgo: 386 }, 12.4, fault);
  story.at(200);
  await order(story, workflowIds.pending, pending, 'debian-12');
  story.at(120);
  await order(story, workflowIds.running, running);
  await boot(story, running, 60);
  await succeed(story, workflowIds.running, running.id, { index: 0, secondsAgo: 48 }, 1.9);
  await start(story, workflowIds.running, running.id, { index: 1, secondsAgo: 45 });
  for (let percent = 0; percent < 60; percent += 4) write(story, percent, 45 - percent / 2);
  story.logs.write(workflowIds.running, 1, {
    at: story.at(16),
    stream: 'stderr',
    attempt: 1,
    line: '\x1b[33mWARN\x1b[0m connection reset by peer, resuming at 734003200',
  });
  await boot(story, booting, 3, 3);
  story.at(0);
}

function write(story: Story, percent: number, secondsAgo: number): void {
  story.logs.write(workflowIds.running, 1, {
    at: story.at(secondsAgo),
    stream: percent === 0 ? 'worker' : 'stdout',
    attempt: 1,
    line:
      percent === 0
        ? 'pulled registry.rack7:5000/image2disk:latest in 1.2 s'
        : `\x1b[32mprogress\x1b[0m: ${percent}% (${percent * 21} MB of 2.1 GB, 94 MB/s)`,
  });
}

/** A pool that fills up, a machine that nobody knows with an address of it, and one that is refused. */
export async function tellStrangers({ append, at }: Story): Promise<void> {
  const lab = { subnet: 'lab', pool: 'lab', size: 10 };
  const expiresAt = new Date(Date.now() + 3_600_000).toISOString();
  const lease = (n: number, hostname: string) =>
    ({
      type: 'LeaseBound',
      v: 2,
      data: {
        ...{ mac: `52-54-00-aa-00-0${n}`, hardwareId: null, clientId: null, ip: `10.7.0.5${n}`, subnet: 'lab' },
        ...{ origin: 'pool', hostname, leaseSeconds: 3600, expiresAt, giaddr: null },
      },
    }) as const;
  at(600);
  await append('lease', 'default', { type: 'PoolTaken', v: 1, data: { address: '10.7.0.2', epoch: 1 } });
  await append('lease', 'default', { type: 'PoolDefined', v: 1, data: { ...lab, ranges: ['10.7.0.50-10.7.0.59'] } });
  const rack = { subnet: 'rack', pool: 'rack', size: 256, ranges: ['10.7.1.0-10.7.1.255'] };
  await append('lease', 'default', { type: 'PoolDefined', v: 1, data: rack });
  at(300);
  for (let n = 0; n < 8; n++) await append('lease', 'default', lease(n, n === 0 ? 'lobby-kiosk' : ''));
  const squatted = { ip: '10.7.0.58', subnet: 'lab', method: 'icmp', answeredBy: null, quarantinedUntil: expiresAt };
  await append('lease', 'default', { type: 'LeaseConflictFound', v: 1, data: squatted });
  await refuse({ append, at }, '52-54-00-bb-00-01', 60);
  at(0);
}

/** Of a machine without a record. */
export async function refuse({ append, at }: Pick<Story, 'append' | 'at'>, mac: string, secondsAgo: number) {
  const moment = at(secondsAgo);
  const asked = { protocol: 'dhcp', reason: 'unknown-machine', detail: 'discover of PXEClient, architecture 7' };
  const data = { hardwareId: null, mac, ...asked, source: '0.0.0.0', count: 1, firstAt: moment, lastAt: moment };
  await append('boot', mac, { type: 'BootRequestFailed', v: 1, data });
}
