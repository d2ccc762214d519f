import type { WorkflowItem } from '../api-types';
import type { Context, Flag } from '../cli-command';
import { documentFlag, printDocument } from '../output/print';

/** Of everything that a person decides about a workflow. */
export const decisionFlags = {
  reason: { kind: 'text', value: 'TEXT', about: 'why; part of the record, at most 200 characters' },
  output: { ...documentFlag, about: 'json or yaml: the workflow as it is afterwards' },
} as const satisfies Readonly<Record<string, Flag>>;

/** Workflows after a decision: one as itself, several as a list; none was decided about: nothing. */
export async function printDecided(
  context: Context,
  format: string | undefined,
  items: readonly WorkflowItem[],
  asked = 1,
): Promise<void> {
  if ((format !== 'json' && format !== 'yaml') || items.length === 0) return;
  await printDocument(context, format, asked === 1 ? items[0] : items);
}
