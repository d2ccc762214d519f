import type { HardwareInterface } from '@tinkerbell/events';
import type { ReadModel } from '@tinkerbell/event-store';
import { type HardwareRow, mayNetboot, type NetbootVerdict, type WorkflowRow } from '@tinkerbell/projections';

/** One interface of a registered machine. */
export interface Machine {
  readonly hardwareId: string;
  /** `aa-bb-cc-dd-ee-ff`. */
  readonly mac: string;
  readonly interface: HardwareInterface;
}

/** Who is who, from the read models. */
export class Machines {
  constructor(
    private readonly hardware: ReadModel<HardwareRow>,
    private readonly workflows: ReadModel<WorkflowRow>,
  ) {}

  byMac(mac: string): Machine | undefined {
    const row = this.hardware.find(`mac:${mac}`);
    const found = row?.hardware.network.interfaces.find(({ dhcp }) => dhcp.mac === mac);
    return row && found ? { hardwareId: row.id, mac, interface: found } : undefined;
  }

  byReservedAddress(address: string): Machine | undefined {
    const row = this.hardware.find(`ip:${address}`);
    const found = row?.hardware.network.interfaces.find(({ dhcp }) => dhcp.ip?.address === address);
    return row && found ? { hardwareId: row.id, mac: found.dhcp.mac, interface: found } : undefined;
  }

  /** The workflow that the machine is at work on, else the first that waits for it. */
  workflowOf({ hardwareId }: Machine): string | undefined {
    const open = this.workflows
      .findAll(`worker:${hardwareId}`)
      .filter(({ deletedAt, status }) => deletedAt === null && (status === 'running' || status === 'pending'))
      .sort(
        (a, b) =>
          Number(b.status === 'running') - Number(a.status === 'running') || a.createdPosition - b.createdPosition,
      );
    return open[0]?.id;
  }

  netboot(machine: Machine): NetbootVerdict {
    return mayNetboot(machine.interface.netboot, this.workflows.findAll(`worker:${machine.hardwareId}`));
  }
}
