import { placeAmong, standingOf, waitOf, type Standing, type WorkflowRow } from '@tinkerbell/projections';
import type { DashboardPorts } from './dashboard-ports';

/** What a workflow waits for, and where it stands in the queue of a machine. */
export function standingIn({ workflows, machines }: DashboardPorts, row: WorkflowRow): Standing {
  const placeAt = (workerId: string) => placeAmong(workflows.findAll(`queue:${workerId}`), row);
  return standingOf(waitOf(row), placeAt, (workerId) => machines.get(workerId));
}
