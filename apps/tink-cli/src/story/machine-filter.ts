import type { AnyEvent, HardwareRecord, Recorded } from '@tinkerbell/events';

/**
 * Whether an event is about one machine: its record, leases, boots, enrolment and workflows. Has to see events in order: that a
 * workflow is this machine's is said by its first event only (or known before: `workflowIds`).
 */
export function machineFilter(
  hardware: Pick<HardwareRecord, 'id' | 'network'>,
  workflowIds: readonly string[],
): (recorded: Recorded<AnyEvent>) => boolean {
  const dashed = (text: string) => text.replaceAll(':', '-').toLowerCase();
  const macs = new Set(hardware.network.interfaces.map(({ dhcp }) => dashed(dhcp.mac)));
  const workflows = new Set(workflowIds);
  return ({ aggregate, aggregateId, event }) => {
    if (event.type === 'WorkflowCreated') {
      if (event.data.actions.some(({ workerId }) => workerId === hardware.id)) workflows.add(aggregateId);
    }
    if (aggregate === 'workflow') return workflows.has(aggregateId);
    if (aggregate === 'lease' || aggregate === 'boot') {
      return 'mac' in event.data && event.data.mac !== null && macs.has(dashed(event.data.mac));
    }
    return aggregateId === hardware.id;
  };
}
