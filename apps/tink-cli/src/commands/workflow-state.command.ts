import type { WorkflowEventRow } from '@tinkerbell/projections';
import { define, exit, type Context } from '../cli-command';
import { outputFlag, printDocument, printListing, timeText } from '../output/print';
import { colorOf } from '../output/screen';
import type { Column } from '../output/table';
import { asOf, atFlag } from './as-of';
import { fieldColumns, type Field } from './hardware-views';
import { checkUuids, someIds } from './ids';
import { printNotes } from './print-notes';
import { standing, stateName } from './workflow-views';

const someWorkflows = { ...someIds, complete: ['workflow'] } as const;

export const workflowState = define({
  name: 'workflow state',
  summary: 'get the current workflow state',
  details: 'What it waits for, who has to decide something, and with which command, is told on standard error.',
  examples: ['tink workflow state 2b3b6c1e-45a6-11eb-b13d-0242ac120003'],
  positionals: someWorkflows,
  flags: { output: outputFlag, at: atFlag },
  async run({ flags, positionals }, present) {
    checkUuids(positionals);
    const context = await asOf(present, flags.at);
    for (const id of positionals) {
      const item = await context.client.workflow(id);
      const state = standing(item);
      const rows: readonly Field[] = [
        ['Workflow ID', state.workflow_id],
        ['Workflow Progress', `${state.progress}%`],
        ['Current Task', state.current_task],
        ['Current Action', state.current_action],
        ['Current Worker', state.current_worker],
        ['Current Action State', state.current_action_state],
      ];
      const { waiting, queue, paused, cancelling, delays, origin } = item;
      const more = { waiting, queue, paused, cancelling, delays, refused_reports: item.refusedReports, origin };
      const document = { ...state, status: stateName(item.status), ...more };
      await printListing(context, flags.output, { rows, columns: () => fieldColumns('Values'), document });
      // Not part of the table: scripts know its six rows.
      if (!/json|yaml|csv/.test(flags.output ?? '')) printNotes(context, item);
    }
    return exit.ok;
  },
});

export const workflowEvents = define({
  name: 'workflow events',
  summary: 'show all events for a workflow',
  details: 'Every report of its actions. "tink events --id <id>" tells the whole story.',
  examples: ['tink workflow events 2b3b6c1e-45a6-11eb-b13d-0242ac120003'],
  positionals: someWorkflows,
  flags: { output: outputFlag, at: atFlag },
  async run({ flags, positionals }, present) {
    checkUuids(positionals);
    const context = await asOf(present, flags.at);
    const rows: WorkflowEventRow[] = [];
    for (const id of positionals) rows.push(...(await context.client.workflow(id)).events);
    if (flags.output === 'json' || flags.output === 'yaml') await printDocument(context, flags.output, rows);
    else await printListing(context, flags.output, { rows, columns: eventColumns(context), document: rows });
    return exit.ok;
  },
});

const eventColumns =
  (context: Context) =>
  (wide: boolean): readonly Column<WorkflowEventRow>[] => [
    { title: 'Worker ID', text: ({ workerId }) => workerId, shrinksTo: 9, drops: 1 },
    { title: 'Task Name', text: ({ task }) => task, shrinksTo: 10 },
    { title: 'Action Name', text: ({ action }) => action, shrinksTo: 14 },
    // Whole seconds, as the originals.
    { title: 'Execution Time', drops: 2, text: ({ seconds }) => String(wide ? seconds : Math.round(seconds)) },
    { title: 'Message', text: ({ message }) => message, shrinksTo: 16 },
    { title: 'Action Status', text: ({ status }) => stateName(status), color: ({ status }) => colorOf(status) },
    { title: 'At', text: ({ at }) => timeText(context, wide)(at), wideOnly: true },
  ];
