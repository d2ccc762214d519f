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

/** Answers kept at most: somebody may make MACs and addresses up. */
const maxRemembered = 65_536;

/** Who is who, from the read models. What a packet needs is remembered until the rows change: a look into the file costs more than the rest. */
export class Machines {
  readonly #byMac = new Map<string, Machine | undefined>();
  readonly #byAddress = new Map<string, Machine | undefined>();
  readonly #verdicts = new Map<string, NetbootVerdict>();

  constructor(
    private readonly hardware: ReadModel<HardwareRow>,
    private readonly workflows: ReadModel<WorkflowRow>,
  ) {
    hardware.onChange(() => {
      this.#byMac.clear();
      this.#byAddress.clear();
      this.#verdicts.clear();
    });
    workflows.onChange(() => this.#verdicts.clear());
  }

  byMac(mac: string): Machine | undefined {
    const known = this.#byMac.get(mac);
    if (known || this.#byMac.has(mac)) return known;
    return remembered(this.#byMac, mac, this.#findByMac(mac));
  }

  #findByMac(mac: string): Machine | undefined {
    const row = this.hardware.find(`mac:${mac}`);
    const found = row?.hardware.network.interfaces.find(({ dhcp }) => dhcp.mac === mac);
    return row && found ? { hardwareId: row.id, mac, interface: found } : undefined;
  }

  byReservedAddress(address: string): Machine | undefined {
    const known = this.#byAddress.get(address);
    if (known || this.#byAddress.has(address)) return known;
    return remembered(this.#byAddress, address, this.#findByAddress(address));
  }

  #findByAddress(address: string): Machine | undefined {
    const row = this.hardware.find(`ip:${address}`);
    const found = row?.hardware.network.interfaces.find(({ dhcp }) => dhcp.ip?.address === address);
    return row && found ? { hardwareId: row.id, mac: found.dhcp.mac, interface: found } : undefined;
  }

  /** The workflow that the machine is at work on, else the first that waits for it. */
  workflowOf({ hardwareId }: Pick<Machine, 'hardwareId'>): string | undefined {
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
    const known = this.#verdicts.get(machine.mac);
    if (known) return known;
    const { hardwareId } = machine;
    const workflows = this.workflows.findAll(`worker:${hardwareId}`);
    const verdict = mayNetboot(machine.interface.netboot, hardwareId, workflows);
    return remembered(this.#verdicts, machine.mac, verdict);
  }
}

function remembered<V>(known: Map<string, V>, key: string, value: V): V {
  if (known.size >= maxRemembered) known.clear();
  known.set(key, value);
  return value;
}
