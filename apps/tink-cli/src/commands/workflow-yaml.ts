import type { ActionPlan } from '@tinkerbell/events';
import type { ActionRow } from '@tinkerbell/projections';
import type { WorkflowItem } from '../api-types';
import { toYaml } from '../output/print';
import { plain } from '../output/screen';

/**
 * The workflow as the template 0.1 that would make it: what runs, whatever its template says today. What 0.1 has no words for stands
 * in comments before it, so that nobody takes the text for the whole.
 */
export async function workflowYaml(item: WorkflowItem): Promise<string> {
  const tasks: { name: string; worker: string; actions: unknown[] }[] = [];
  for (const { spec } of item.actions) {
    let task = tasks.at(-1);
    if (task?.name !== spec.task) tasks.push((task = { name: spec.task, worker: spec.workerId, actions: [] }));
    task.actions.push(actionDocument(spec));
  }
  const limit = item.globalTimeoutSeconds > 0 ? { global_timeout: item.globalTimeoutSeconds } : {};
  const document = { version: '0.1', name: item.templateName, id: item.templateId, ...limit, tasks };
  return [...beyond01(item.actions), await toYaml(document)].join('\n');
}

const preface = [
  '# This workflow is more than template 0.1 can express: a template of this text would run its actions one after the other,',
  '# without the following ("tink workflow get <id> -o yaml" has everything):',
];

/** Comment lines; none for a plain list of actions. */
function beyond01(actions: WorkflowItem['actions']): readonly string[] {
  const ids = actions.map(({ spec }) => spec.plan.id);
  const lines = actions.flatMap(({ spec }, index) => {
    const more = [...planTexts(spec.plan, index, ids), ...expressionTexts(spec)];
    return more.length === 0 ? [] : [`#   ${plain(spec.plan.id)}: ${more.map(plain).join('; ')}`];
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
function expressionTexts({ command, environment }: ActionRow['spec']): readonly string[] {
  return [...command, ...environment].some((text) => text.includes('${{')) ? ['has ${{ expressions }}'] : [];
}

function actionDocument(spec: ActionRow['spec']): unknown {
  const { command, onTimeout, onFailure, volumes, pid } = spec;
  const environment = Object.fromEntries(spec.environment.map(splitPair));
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

function splitPair(pair: string): readonly [string, string] {
  const equals = pair.indexOf('=');
  return [pair.slice(0, equals), pair.slice(equals + 1)];
}
