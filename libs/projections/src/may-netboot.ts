import type { HardwareNetboot } from '@tinkerbell/events';
import type { WorkflowRow } from './rows';

export interface NetbootVerdict {
  readonly allowed: boolean;
  /** For the log and for `tink hardware get`. */
  readonly reason: string;
}

type Counted = Pick<WorkflowRow, 'id' | 'status' | 'deletedAt' | 'createdPosition'>;

/**
 * Whether the network card may boot into OSIE: its record allows it, and the machine has work, or never had any. So a machine that was
 * installed boots its own disk for ever after, whether or not somebody deleted its workflow. `workflows`: every one with this machine
 * in it, deleted ones too. The newest counts; one that was deleted before it began takes nothing away from an older one.
 */
export function mayNetboot(netboot: Pick<HardwareNetboot, 'allow_pxe'>, workflows: readonly Counted[]): NetbootVerdict {
  if (!netboot.allow_pxe) return { allowed: false, reason: 'allow_pxe is false' };
  if (workflows.length === 0) return { allowed: true, reason: 'the machine never had a workflow' };
  const newest = workflows
    .filter(({ deletedAt, status }) => deletedAt === null || status !== 'pending')
    .reduce<Counted | undefined>((a, b) => (a && a.createdPosition > b.createdPosition ? a : b), undefined);
  if (!newest) return { allowed: false, reason: 'the workflow of the machine was deleted before it began' };
  const state = newest.deletedAt === null ? newest.status : 'deleted';
  return { allowed: state === 'pending' || state === 'running', reason: `workflow ${newest.id} is ${state}` };
}
