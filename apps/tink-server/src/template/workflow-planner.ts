import { nearest, NotFoundError, parseMac, presentHardware } from '@tinkerbell/domain';
import type { PlannedAction, WorkflowCreated } from '@tinkerbell/events';
import type { TemplateRow } from '@tinkerbell/projections';
import {
  planWorkflow,
  renderTemplate,
  type FindWorker,
  type RenderOptions,
  type WorkflowPlan,
} from '@tinkerbell/template';
import type { ReadSide } from '../read-side';
import { pinImages, type ImageResolver } from './pin-images';

export type Devices = Readonly<Record<string, string>>;

/** `workerId`: null when no hardware has the address. */
export interface Machine {
  readonly device: string;
  readonly address: string;
  readonly workerId: string | null;
}

/** Templates with the hardware that is known: what they come to for these devices. */
export class WorkflowPlanner {
  constructor(
    private readonly reads: ReadSide,
    /** null: images stay as the template names them. */
    private readonly images: ImageResolver | null,
  ) {}

  /** Everything that WorkflowCreated says; images of template 1.0 pinned. Throws InvalidDocumentError, NotFoundError, InvalidError. */
  async created(row: TemplateRow, devices: Devices): Promise<WorkflowCreated['data']> {
    const plan = this.plan(row.data, devices);
    return {
      templateId: row.id,
      templateName: row.name,
      templateVersion: row.version,
      devices,
      globalTimeoutSeconds: plan.globalTimeoutSeconds,
      actions: await this.pinned(plan),
      origin: null,
    };
  }

  /** `find`: with the hardware of another time. */
  plan(text: string, devices: Devices, find: FindWorker = this.finder()): WorkflowPlan {
    return planWorkflow(text, devices, find, renderOptions(devices, find));
  }

  async pinned(plan: WorkflowPlan): Promise<readonly PlannedAction[]> {
    if (plan.version === '0.1' || this.images === null) return plan.actions;
    return pinImages(plan.actions, plan.imagePlaces, this.images);
  }

  render(text: string, devices: Devices): string {
    return renderTemplate(text, devices, renderOptions(devices, this.finder()));
  }

  finder(): FindWorker {
    const { hardware } = this.reads;
    return {
      byMac: (mac) => hardware.find(`mac:${mac}`)?.id,
      byIp: (address) => hardware.find(`ip:${address}`)?.id,
      hardware: (id) => {
        const row = hardware.get(id);
        if (!row) throw new NotFoundError('hardware', id);
        return presentHardware(row.hardware);
      },
    };
  }

  machines(devices: Devices): readonly Machine[] {
    const find = this.finder();
    return Object.entries(devices).map(([device, address]) => {
      return { device, address, workerId: idOf(find, address) ?? null };
    });
  }
}

/** With the hardware of the first device, which a template reaches as `.hardware`. */
function renderOptions(devices: Devices, find: FindWorker): RenderOptions {
  const id = idOf(find, Object.values(devices)[0] ?? '');
  const missing = (key: string) => missingText(key, devices);
  return id === undefined ? { missing } : { hardware: find.hardware?.(id), missing };
}

function missingText(key: string, devices: Devices): string {
  const known = Object.keys(devices);
  const [device = ''] = known;
  if (known.length === 0) return '; the workflow has no devices';
  if (key === 'hardware' || key === 'Hardware') {
    return `: no hardware record has ${devices[device]}, the address of ${device}; push one with "tink hardware push"`;
  }
  const near = nearest(key, known);
  return `; the workflow has ${known.join(', ')}${near === undefined ? '' : `; did you mean ${near}?`}`;
}

function idOf(find: FindWorker, address: string): string | undefined {
  const mac = parseMac(address);
  return mac === undefined ? find.byIp(address) : find.byMac(mac);
}
