import type { HardwareRow, LeaseRow, MachineRow, WorkflowRow } from '@tinkerbell/projections';
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
    lease: lease ? { ip: lease.ip, state: lease.state, expiresAt: lease.expiresAt } : null,
    registered: hardware !== undefined,
    updatedAt: latest(hardware?.updatedAt, machine?.updatedAt),
  };
}

/** Volumes, commands and environment stay behind: they may hold secrets, and the page does not need them. Deleted: undefined. */
export function workflowView(row: WorkflowRow): WorkflowView | undefined {
  if (row.deletedAt !== null) return undefined;
  return {
    id: row.id,
    template: row.templateName,
    status: row.status,
    createdAt: row.createdAt,
    updatedAt: row.updatedAt,
    startedAt: row.startedAt,
    finishedAt: row.finishedAt,
    current: row.current,
    devices: row.devices,
    machines: [...new Set(row.actions.map(({ spec }) => spec.workerId))],
    actions: row.actions.map(({ spec, ...action }): ActionView => ({
      task: spec.task,
      name: spec.name,
      image: spec.image,
      workerId: spec.workerId,
      timeoutSeconds: spec.timeoutSeconds,
      ...action,
    })),
  };
}

function latest(...times: readonly (string | undefined)[]): string {
  return times.reduce<string>((last, time) => (time !== undefined && time > last ? time : last), '');
}
