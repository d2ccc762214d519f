import type { AnyEvent, Recorded } from '@tinkerbell/events';
import { durationKeys, bootSteps, type DurationRow, type WorkflowRow } from '@tinkerbell/projections';
import type { ReadSide, TinkHistory } from '../read-side';

/** Everything that was recorded about some machines and workflows, and about the templates of these, up to where `reads` stands. */
export function eventsAbout(
  reads: ReadSide,
  machineIds: Iterable<string>,
  workflows: readonly WorkflowRow[],
): readonly Recorded<AnyEvent>[] {
  const { history } = reads;
  const upTo = reads.position();
  const templateIds = new Set(workflows.map(({ templateId }) => templateId));
  const found = [
    ...[...machineIds].flatMap((id) => history.machines.events(id, upTo)),
    ...[...templateIds].flatMap((id) => history.templates.events(id, upTo)),
    ...workflows.flatMap(({ id }) => history.workflows.events(id, upTo)),
  ];
  // What the projections of the catalogue have kept is of the catalogue.
  return found.sort((a, b) => a.position - b.position || a.index - b.index) as readonly Recorded<AnyEvent>[];
}

/** The machines that have a part in a workflow. */
export function workersOf({ actions }: WorkflowRow): readonly string[] {
  return [...new Set(actions.map(({ spec }) => spec.workerId))];
}

/** Of a machine's workflows those that say what it does now: all that have not ended, and the one that something happened to last. */
export function presentWorkflows(reads: ReadSide, machineId: string): readonly WorkflowRow[] {
  const rows = reads.workflows.findAll(`worker:${machineId}`).filter(({ deletedAt }) => deletedAt === null);
  const last = rows.reduce<WorkflowRow | undefined>((a, b) => (a && a.position > b.position ? a : b), undefined);
  return rows.filter((row) => row.finishedAt === null || row === last);
}

/** How long a thing took, whatever measured it. */
export function durationIn({ workflows, machines }: TinkHistory): (key: string) => DurationRow | undefined {
  return (key) => workflows.duration(key) ?? machines.duration(key);
}

/** All that is known of how long the actions of these workflows and the way of a machine take. */
export function durationsAbout(
  history: TinkHistory,
  workflows: readonly WorkflowRow[],
): ReadonlyMap<string, DurationRow> {
  const actions = workflows.flatMap(({ templateName: template, actions: rows }) =>
    rows.flatMap(({ spec: { name, image } }) => [
      durationKeys.action({ template, name, image }),
      durationKeys.image(image),
    ]),
  );
  const steps = bootSteps.flatMap((from, i) => bootSteps.slice(i + 1).map((to) => durationKeys.step(from, to)));
  const known = durationIn(history);
  return new Map(
    [...new Set([...actions, ...steps])].flatMap((key) => {
      const row = known(key);
      return row ? [[key, row] as const] : [];
    }),
  );
}
