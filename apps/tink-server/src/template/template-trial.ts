import { InvalidDocumentError, InvalidError, type Fault } from '@tinkerbell/domain';
import { checkTemplate, versionOf, type TemplateVersion, type WorkflowPlan } from '@tinkerbell/template';
import type { ReadSide } from '../read-side';
import { findTemplate } from './template-commands';
import type { Devices, Machine, WorkflowPlanner } from './workflow-planner';

/** A stored template, or a text that is not stored. */
export interface Tried {
  readonly template?: string;
  readonly data?: string;
}

export interface Linted {
  readonly version: TemplateVersion;
  readonly valid: boolean;
  readonly faults: readonly Fault[];
}

export interface Planned extends Omit<WorkflowPlan, 'imagePlaces'> {
  readonly machines: readonly Machine[];
}

/** What would become of a template, without making anything. */
export class TemplateTrial {
  constructor(
    private readonly reads: ReadSide,
    private readonly planner: WorkflowPlanner,
  ) {}

  lint(text: string): Linted {
    const version = versionOf(text);
    try {
      checkTemplate(text);
      return { version, valid: true, faults: [] };
    } catch (error) {
      if (!(error instanceof InvalidDocumentError)) throw error;
      return { version, valid: false, faults: error.faults };
    }
  }

  render(tried: Tried, devices: Devices): { readonly text: string } {
    return { text: this.planner.render(this.textOf(tried), devices) };
  }

  /** With the images that would be pinned now, and the machines that the devices are. */
  async plan(tried: Tried, devices: Devices): Promise<Planned> {
    const plan = this.planner.plan(this.textOf(tried), devices);
    const { version, name, globalTimeoutSeconds } = plan;
    const machines = this.planner.machines(devices);
    return { version, name, globalTimeoutSeconds, machines, actions: await this.planner.pinned(plan) };
  }

  private textOf({ template, data }: Tried): string {
    if (data !== undefined && template !== undefined) {
      throw new InvalidError('data', 'give either template (id or name) or data (a text), not both');
    }
    if (data !== undefined) return data;
    if (template !== undefined) return findTemplate(this.reads, template).data;
    throw new InvalidError('template', 'give template (id or name) or data (a text)');
  }
}
