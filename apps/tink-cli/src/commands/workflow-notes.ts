import { workflowNotes, type WorkflowNote } from '@tinkerbell/projections';
import type { WorkflowItem } from '../api-types';
import { plain, type Color } from '../output/screen';
import { relative } from '../output/time';

export interface Note {
  /** Stays the same while the note is about the same thing. */
  readonly key: string;
  /** One line of plain text. */
  readonly text: string;
  readonly color: Color | undefined;
  /** What to type about it. */
  readonly command: string | null;
}

const colors: Readonly<Record<WorkflowNote['tone'], Color | undefined>> = {
  info: undefined,
  wait: 'yellow',
  ask: 'yellow',
  bad: 'red',
};

export function notesOf(item: WorkflowItem, now: number): readonly Note[] {
  return workflowNotes(item).map(({ key, text, tone, at, command }) => {
    const time = at === null ? '' : ` (${relative(at, now)})`;
    return {
      key,
      text: plain(`${text}${time}`),
      color: colors[tone],
      command: command === null ? null : plain(command),
    };
  });
}
