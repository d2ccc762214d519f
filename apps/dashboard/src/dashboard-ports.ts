import type { EventStore, ReadModel, StoredRows } from '@tinkerbell/event-store';
import type { DhcpServerRow, HardwareRow, LeaseRow, MachineRow, PoolRow, WorkflowRow } from '@tinkerbell/projections';
import type { ActionLogs } from './action-logs';

/** What the dashboard shows; it writes nothing. */
export interface DashboardPorts {
  readonly machines: ReadModel<MachineRow>;
  readonly workflows: ReadModel<WorkflowRow>;
  readonly hardware: ReadModel<HardwareRow>;
  readonly leases: StoredRows<LeaseRow>;
  readonly pools: ReadModel<PoolRow>;
  readonly dhcpServers: ReadModel<DhcpServerRow>;
  readonly logs: ActionLogs;
  readonly events: EventStore;
}
