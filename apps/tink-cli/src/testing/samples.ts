import type { ActionPlan, PlannedAction, HardwareInterface } from '@tinkerbell/events';
import type { ActionRow } from '@tinkerbell/projections';
import type { HardwareItem, LeaseItem, MachineItem, TemplateItem, WorkflowItem } from '../api-types';

export const hardwareId = '0eba0bf8-3772-4b4a-ab9f-6ebe93b90a94';
export const templateId = '614168df-45a5-41eb-b13d-0242ac120003';
export const workflowId = '2b3b6c1e-45a6-41eb-b13d-0242ac120003';
const created = '2026-01-01T00:00:00.000Z';
const updated = '2026-01-01T00:05:00.000Z';

const templateText = 'version: "0.1"\nname: install\ntasks: []\n';

export function hardwareInterface(mac = '08:00:27:00:00:01', address = '192.168.1.5'): HardwareInterface {
  return {
    dhcp: {
      mac,
      hostname: 'server001',
      lease_time: 86_400,
      name_servers: [],
      time_servers: [],
      arch: 'x86_64',
      uefi: false,
      iface_name: '',
      domain_name: '',
      ip: { address, netmask: '255.255.255.248', gateway: '192.168.1.1', family: 4 },
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
  };
}

export function hardwareItem(interfaces = [hardwareInterface()]): HardwareItem {
  const hardware = { id: hardwareId, version: 0, metadata: {}, network: { interfaces } };
  return { hardware, createdAt: created, updatedAt: updated, position: 4 };
}

export function templateItem(over: Partial<TemplateItem> = {}): TemplateItem {
  return {
    id: templateId,
    name: 'install',
    data: templateText,
    version: 2,
    createdAt: created,
    updatedAt: updated,
    ...over,
  };
}

function actionSpec(name: string, task: string, plan: Partial<ActionPlan>): PlannedAction {
  return {
    task,
    name,
    image: name,
    timeoutSeconds: 60,
    command: [],
    onTimeout: [],
    onFailure: [],
    workerId: hardwareId,
    volumes: [],
    environment: [],
    pid: '',
    plan: {
      id: `${task}/${name}`,
      needs: [],
      runs: 'success',
      condition: '',
      retry: null,
      approval: null,
      destructive: false,
      onReboot: 'fail',
      secrets: {},
      ...plan,
    },
  };
}

type ActionSample = Partial<ActionRow> & {
  readonly name?: string;
  readonly task?: string;
  readonly plan?: Partial<ActionPlan>;
};

export function actionRow(over: ActionSample = {}): ActionRow {
  const { name = 'disk-wipe', task = 'os-installation', plan = {}, ...rest } = over;
  return {
    spec: actionSpec(name, task, plan),
    status: 'pending',
    attempt: 0,
    retryAt: null,
    startedAt: null,
    finishedAt: null,
    seconds: null,
    exitCode: null,
    reason: null,
    message: '',
    outputs: {},
    handler: null,
    ...rest,
  };
}

const calm = {
  paused: false,
  cancelling: false,
  cancelRequestedAt: null,
  machinesTaken: false,
  handedOut: null,
  origin: null,
  blame: null,
  delays: [],
  refusedReports: 0,
  queue: null,
};

const reports: WorkflowItem['events'] = [
  {
    workerId: hardwareId,
    task: 'os-installation',
    action: 'disk-wipe',
    index: 0,
    seconds: 0,
    message: 'Started execution',
    status: 'running',
    at: '2026-01-01T00:09:00.000Z',
    position: 11,
  },
  {
    workerId: hardwareId,
    task: 'os-installation',
    action: 'disk-wipe',
    index: 0,
    seconds: 2.96,
    message: 'finished execution successfully',
    status: 'success',
    at: '2026-01-01T00:09:03.000Z',
    position: 12,
  },
];

/** disk-wipe is done, write-image runs, reboot waits. */
export function workflowItem(over: Partial<WorkflowItem> = {}): WorkflowItem {
  return {
    id: workflowId,
    templateId,
    templateName: 'install',
    templateVersion: 2,
    devices: { device_1: '08:00:27:00:00:01' },
    status: 'running',
    ...calm,
    globalTimeoutSeconds: 900,
    startedAt: '2026-01-01T00:09:00.000Z',
    finishedAt: null,
    deletedAt: null,
    current: 1,
    actions: [
      actionRow({
        name: 'disk-wipe',
        status: 'success',
        attempt: 1,
        startedAt: '2026-01-01T00:09:00.000Z',
        finishedAt: '2026-01-01T00:09:03.000Z',
        seconds: 3,
      }),
      actionRow({
        name: 'write-image',
        status: 'running',
        attempt: 1,
        startedAt: '2026-01-01T00:09:15.000Z',
        plan: { needs: [0] },
      }),
      actionRow({ name: 'reboot', plan: { needs: [1] } }),
    ],
    events: reports,
    data: [],
    createdAt: created,
    updatedAt: updated,
    waiting: null,
    ...over,
  };
}

export function machineItem(): MachineItem {
  return {
    id: hardwareId,
    hostname: 'node-1',
    mac: '08-00-27-00-00-01',
    ip: '192.168.1.5',
    ip6: '2001:db8::5',
    step: 'worker',
    steps: [
      { step: 'dhcp', at: '2026-01-01T00:08:40.000Z', detail: 'lease 192.168.1.5' },
      { step: 'worker', at: '2026-01-01T00:09:00.000Z', detail: 'docker 20.10, node v24' },
    ],
    bootFiles: [],
    registered: true,
    updatedAt: '2026-01-01T00:09:00.000Z',
    position: 12,
  };
}

export function leaseItem(over: Partial<LeaseItem> = {}): LeaseItem {
  return {
    mac: '08-00-27-00-00-01',
    hardwareId,
    clientId: null,
    ip: '192.168.1.5',
    subnet: '',
    origin: 'reservation',
    hostname: 'node-1',
    state: 'bound',
    leaseSeconds: 3600,
    boundAt: '2026-01-01T00:00:00.000Z',
    expiresAt: '2026-01-01T01:00:00.000Z',
    quarantinedUntil: null,
    updatedAt: '2026-01-01T00:00:00.000Z',
    position: 5,
    ...over,
  };
}
