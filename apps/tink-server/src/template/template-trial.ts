import { InvalidDocumentError, InvalidError, type Fault } from '@tinkerbell/domain';
import { checkTemplate, versionOf, type TemplateVersion, type WorkflowPlan } from '@tinkerbell/template';
import type { ReadSide } from '../read-side';
import { findTemplate } from './template-commands';
import type { Devices, WorkflowPlanner } from './workflow-planner';

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

  /** With the images that would be pinned now. */
  async plan(tried: Tried, devices: Devices): Promise<Omit<WorkflowPlan, 'imagePlaces'>> {
    const { imagePlaces: _places, ...plan } = this.planner.plan(this.textOf(tried), devices);
    return { ...plan, actions: await this.planner.pinned({ ...plan, imagePlaces: _places }) };
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
