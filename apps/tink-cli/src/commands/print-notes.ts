import type { WorkflowItem } from '../api-types';
import type { Context } from '../cli-command';
import { paint } from '../output/screen';
import { notesOf } from './workflow-notes';

/** On standard error: programs read the rest. */
export function printNotes(context: Context, item: WorkflowItem): void {
  for (const { text, color, command } of notesOf(item, context.now())) {
    context.err(paint(context.screen, color, text));
    if (command !== null) context.err(`  ${command}`);
  }
}
