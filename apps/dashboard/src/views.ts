import { foreverSeconds, outlooks } from '@tinkerbell/domain';
import type { JsonObject } from '@tinkerbell/events';
import { workersOf, workflowNotes } from '@tinkerbell/projections';
import type { ActionRow, HardwareRow, LeaseRow, MachineRow, Standing, WorkflowRow } from '@tinkerbell/projections';
import type { ActionView, MachineView, WorkflowView } from './wire';

export function colons(mac: string): string {
  return mac.replaceAll('-', ':');
}

/** A machine that was registered, or seen, or both; neither: undefined. */
export function machineView(
  hardware: HardwareRow | undefined,
  machine: MachineRow | undefined,
  lease: LeaseRow | undefined,
): MachineView | undefined {
  const first = hardware?.hardware.network.interfaces[0]?.dhcp;
  const id = hardware?.id ?? machine?.id;
  if (id === undefined || (!hardware && (!machine || machine.steps.length === 0))) return undefined;
  return {
    id,
    hostname: machine?.hostname || first?.hostname || lease?.hostname || '',
    mac: colons(machine?.mac || first?.mac || lease?.mac || ''),
    ip: machine?.ip || first?.ip?.address || lease?.ip || '',
    step: machine?.step ?? 'off',
    steps: machine?.steps ?? [],
    bootFiles: machine?.bootFiles ?? [],
    lease: lease
      ? { ip: lease.ip, state: lease.state, expiresAt: lease.leaseSeconds === foreverSeconds ? null : lease.expiresAt }
      : null,
    registered: hardware !== undefined,
    updatedAt: latest(hardware?.updatedAt, machine?.updatedAt),
  };
}

/** Volumes, commands and environment stay behind: they may hold secrets, and the page does not need them. Deleted: undefined. */
export function workflowView(row: WorkflowRow, standing: Standing): WorkflowView | undefined {
  if (row.deletedAt !== null) return undefined;
  const found = outlooks(
    row.actions.map(({ spec }) => spec.plan),
    row.actions.map(({ status }) => status),
  );
  return {
    id: row.id,
    template: row.templateName,
    status: row.status,
    createdAt: row.createdAt,
    updatedAt: row.updatedAt,
    startedAt: row.startedAt,
    finishedAt: row.finishedAt,
    current: row.current,
    paused: row.paused,
    cancelling: row.cancelling,
    notes: workflowNotes({ ...row, ...standing }),
    devices: row.devices,
    machines: workersOf(row),
    actions: row.actions.map((action, index) => actionView(action, found[index] === 'blocked')),
  };
}

function actionView({ spec, ...action }: ActionRow, blocked: boolean): ActionView {
  const { id, needs, runs, condition, destructive, retry } = spec.plan;
  const { outputs, ...shown } = action;
  return {
    ...{ id, needs, runs, condition, destructive, blocked },
    task: spec.task,
    name: spec.name,
    image: spec.image,
    workerId: spec.workerId,
    timeoutSeconds: spec.timeoutSeconds,
    tries: retry === null ? null : retry.limit + 1,
    ...shown,
    ...outputsView(outputs),
  };
}

const mostOutputs = 20;
const longestValue = 200;

/** Every page that is open gets them with each change of the workflow: 16 KiB of each action would be too much. */
function outputsView(outputs: JsonObject): Pick<ActionView, 'outputs' | 'moreOutputs'> {
  const all = Object.entries(outputs);
  const shown = all.slice(0, mostOutputs).map(([key, value]) => ({
    key: cut(key),
    value: cut(typeof value === 'string' ? value : JSON.stringify(value)),
  }));
  return { outputs: shown, moreOutputs: all.length - shown.length };
}

function cut(text: string): string {
  return text.length > longestValue ? `${text.slice(0, longestValue)}…` : text;
}

function latest(...times: readonly (string | undefined)[]): string {
  return times.reduce<string>((last, time) => (time !== undefined && time > last ? time : last), '');
}
