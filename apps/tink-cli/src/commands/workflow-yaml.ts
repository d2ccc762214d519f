import { workflowTemplate } from '@tinkerbell/projections';
import type { WorkflowItem } from '../api-types';
import { toYaml } from '../output/print';

export async function workflowYaml(item: WorkflowItem): Promise<string> {
  const { comment, document } = workflowTemplate(item);
  return [...comment, await toYaml(document)].join('\n');
}
