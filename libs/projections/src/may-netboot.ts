import type { HardwareNetboot } from '@tinkerbell/events';
import type { WorkflowRow } from './rows';
import { isOpen, machinesHeld } from './work-order';

export interface NetbootVerdict {
  readonly allowed: boolean;
  /** For the log and for `tink hardware get`. */
  readonly reason: string;
}

type Counted = Pick<
  WorkflowRow,
  'id' | 'status' | 'deletedAt' | 'createdPosition' | 'startedAt' | 'machinesTaken' | 'actions'
>;

/**
 * Whether the network card may boot into OSIE: its record allows it, and the machine has work, or never had any. So a machine that was
 * installed boots its own disk for ever after, whether or not somebody deleted its workflow, and as soon as a workflow over several
 * machines has nothing more for it. `workflows`: every one with this machine in it, deleted ones too. The newest counts; one that was
 * deleted or has ended before it began takes nothing away from an older one.
 */
export function mayNetboot(
  netboot: Pick<HardwareNetboot, 'allow_pxe'>,
  hardwareId: string,
  workflows: readonly Counted[],
): NetbootVerdict {
  if (!netboot.allow_pxe) return { allowed: false, reason: 'allow_pxe is false' };
  if (workflows.length === 0) return { allowed: true, reason: 'the machine never had a workflow' };
  const kept = workflows.filter(({ deletedAt, status }) => deletedAt === null || status !== 'pending');
  const newest = newestOf(kept.filter((row) => row.startedAt !== null || isOpen(row))) ?? newestOf(kept);
  if (!newest) return { allowed: false, reason: 'the workflow of the machine was deleted before it began' };
  const { id, status, deletedAt } = newest;
  if (!isOpen(newest))
    return { allowed: false, reason: `workflow ${id} is ${deletedAt === null ? status : 'deleted'}` };
  const isWanted = status === 'pending' || machinesHeld(newest).includes(hardwareId);
  return { allowed: isWanted, reason: `workflow ${id} is ${status}${isWanted ? '' : ', with nothing more for it'}` };
}

function newestOf(workflows: readonly Counted[]): Counted | undefined {
  return workflows.reduce<Counted | undefined>(
    (a, b) => (a && a.createdPosition > b.createdPosition ? a : b),
    undefined,
  );
}
