import type { EventStore, ReadModel } from '@tinkerbell/event-store';
import type { HardwareRow, LeaseRow, MachineRow, WorkflowRow } from '@tinkerbell/projections';
import type { ActionLogs } from './action-logs';

/** What the dashboard shows; it writes nothing. */
export interface DashboardPorts {
  readonly machines: ReadModel<MachineRow>;
  readonly workflows: ReadModel<WorkflowRow>;
  readonly hardware: ReadModel<HardwareRow>;
  readonly leases: ReadModel<LeaseRow>;
  readonly logs: ActionLogs;
  readonly events: EventStore;
}
