import type { ActionPlan, PlannedAction } from '@tinkerbell/events';
import type { WorkflowRow } from './rows';

/** A workflow as the template 0.1 that comes nearest to it. */
export interface WorkflowTemplate {
  /** Lines of a YAML comment: what 0.1 has no words for. None for a plain list of actions, which this template says completely. */
  readonly comment: readonly string[];
  readonly document: object;
}

/**
 * What runs, whatever its template says today. What 0.1 cannot express is no part of the document, so that whoever reads 0.1 can read
 * it, and stands in the comment, so that nobody takes it for the whole.
 */
export function workflowTemplate(
  row: Pick<WorkflowRow, 'templateName' | 'templateId' | 'globalTimeoutSeconds' | 'actions'>,
): WorkflowTemplate {
  const tasks: { name: string; worker: string; actions: object[] }[] = [];
  for (const { spec } of row.actions) {
    let task = tasks.at(-1);
    if (task?.name !== spec.task) tasks.push((task = { name: spec.task, worker: spec.workerId, actions: [] }));
    task.actions.push(actionDocument(spec));
  }
  const limit = row.globalTimeoutSeconds > 0 ? { global_timeout: row.globalTimeoutSeconds } : {};
  return {
    comment: beyondList(row.actions.map(({ spec }) => spec)),
    document: { version: '0.1', name: row.templateName, id: row.templateId, ...limit, tasks },
  };
}

const preface = [
  '# This workflow is more than template 0.1 can express: a template of this text would run its actions one after the other,',
  '# without the following ("tink workflow get <id> -o yaml" and GET /api/workflows/<id> have everything):',
];

function beyondList(actions: readonly PlannedAction[]): readonly string[] {
  const ids = actions.map(({ plan }) => plan.id);
  const lines = actions.flatMap((action, index) => {
    const more = [...planTexts(action.plan, index, ids), ...expressionTexts(action)];
    return more.length === 0 ? [] : [`#   ${oneLine(action.plan.id)}: ${more.map(oneLine).join('; ')}`];
  });
  return lines.length === 0 ? [] : [...preface, ...lines];
}

function planTexts(plan: ActionPlan, index: number, ids: readonly string[]): readonly string[] {
  const { needs, runs, condition, retry, approval, destructive, onReboot } = plan;
  const inLine = index === 0 ? needs.length === 0 : needs.length === 1 && needs[0] === index - 1;
  const names = needs.map((need) => ids[need] ?? String(need)).join(', ');
  const secrets = Object.entries(plan.secrets).map(([variable, name]) => `${variable}=${name}`);
  return [
    ...(inLine ? [] : [names === '' ? 'needs nothing' : `needs ${names}`]),
    ...(runs === 'success' ? [] : [runs === 'always' ? 'runs in any case' : `runs on ${runs}`]),
    ...(condition === '' ? [] : [`if ${condition}`]),
    ...(retry === null ? [] : [`at most ${retry.limit + 1} tries`]),
    ...(approval === null ? [] : [`needs approval: ${approval}`]),
    ...(destructive ? ['destructive'] : []),
    ...(onReboot === 'fail' ? [] : [`after a reboot: ${onReboot}`]),
    ...(secrets.length === 0 ? [] : [`secrets ${secrets.join(', ')}`]),
  ];
}

/** `${{ … }}` is filled in when the action is handed out; 0.1 takes it for text. */
function expressionTexts({ command, environment }: PlannedAction): readonly string[] {
  return [...command, ...environment].some(hasExpression) ? ['has ${{ expressions }}'] : [];
}

function actionDocument(spec: PlannedAction): object {
  const { onTimeout, onFailure, volumes, pid } = spec;
  const command = spec.command.map(asText);
  const environment = Object.fromEntries(spec.environment.map((pair) => splitPair(asText(pair))));
  return {
    name: spec.name,
    image: spec.image,
    timeout: spec.timeoutSeconds,
    ...(command.length > 0 ? { command } : {}),
    ...(onTimeout.length > 0 ? { 'on-timeout': onTimeout } : {}),
    ...(onFailure.length > 0 ? { 'on-failure': onFailure } : {}),
    ...(volumes.length > 0 ? { volumes } : {}),
    ...(spec.environment.length > 0 ? { environment } : {}),
    ...(pid === '' ? {} : { pid }),
  };
}

/** How a plan writes the `${{` of a text. */
const literal = "${{ '${{' }}";

const hasExpression = (text: string) => text.replaceAll(literal, '').includes('${{');

/** A text without expressions can be said in 0.1 as it was. */
function asText(text: string): string {
  return hasExpression(text) ? text : text.replaceAll(literal, () => '${{');
}

function splitPair(pair: string): readonly [string, string] {
  const equals = pair.indexOf('=');
  return [pair.slice(0, equals), pair.slice(equals + 1)];
}

/** A comment ends with its line: no text of a template may end it, nor act on a terminal. */
function oneLine(text: string): string {
  return text.replace(/[\s\u0000-\u001f\u007f-\u009f\u2028\u2029]+/g, ' ');
}
