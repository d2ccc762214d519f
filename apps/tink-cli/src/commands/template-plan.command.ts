import type { PlannedAction } from '@tinkerbell/events';
import type { PlanItem, ReplayItem } from '../api-types';
import { define, exit, UsageError, type Context } from '../cli-command';
import { documentFlag, printDocument, timeText } from '../output/print';
import { paint } from '../output/screen';
import { count } from '@tinkerbell/history';
import { devicesOf } from './devices';
import { orFaults } from './refused-document';
import { fileOf, oneFile, templatePath, triedTemplate } from './template-text.command';

export const templatePlan = define({
  name: 'template plan',
  summary: 'show what a template would do, machine by machine, without doing it',
  details: [
    'With --hardware: the exact actions, images and variables, and what is destructive. Nothing is created.',
    'With --against history: decides again about the workflows that were made from --template, with the text of the file',
    '(or its own, as it is now) and the hardware as it was then, and lists those that would differ.',
  ].join('\n'),
  examples: [
    `tink template plan -t install -r '{"device_1":"52:54:00:12:34:56"}'`,
    `tink template plan install.yaml -r '{"device_1":"192.0.2.20"}' -o json`,
    'tink template plan install.yaml -t install --against history',
  ],
  positionals: oneFile,
  flags: {
    template: {
      kind: 'text',
      short: 't',
      value: 'ID',
      about: 'a saved template: id or name; or a .yaml file',
      complete: 'template',
    },
    path: templatePath,
    hardware: { kind: 'text', short: 'r', value: 'JSON', about: 'device name to MAC or IP address' },
    against: { kind: 'text', value: 'WHAT', choices: ['history'], about: 'workflows of the past' },
    limit: { kind: 'number', value: 'N', default: 100, about: 'with --against: only the newest N workflows' },
    output: documentFlag,
  },
  async run({ flags, positionals }, context) {
    const path = fileOf(positionals, flags.path);
    const format = flags.output === undefined ? undefined : flags.output === 'yaml' ? 'yaml' : 'json';
    if (flags.against !== undefined) {
      const replay = await replayOf(context, { ...flags, path });
      if (format) await printDocument(context, format, replay);
      else printReplay(context, replay);
      return exit.ok;
    }
    if (flags.hardware === undefined) throw new UsageError('--hardware (-r) or --against history is required');
    const devices = devicesOf(flags.hardware);
    const { source, tried } = await triedTemplate(context, { ...flags, path });
    const ask = () => context.client.planTemplate({ ...tried, hardware: devices });
    const plan = await (source ? orFaults(context, source, ask) : ask());
    if (format) await printDocument(context, format, plan);
    else printPlan(context, plan);
    return exit.ok;
  },
});

interface ReplayFlags {
  readonly template: string | undefined;
  readonly path: string | undefined;
  readonly limit: number;
}

async function replayOf(context: Context, { template, path, limit }: ReplayFlags): Promise<ReplayItem> {
  if (template === undefined)
    throw new UsageError('--against history is about a saved template: name it with --template');
  if (path === undefined) return context.client.replayTemplate({ template, limit });
  const { source } = await triedTemplate(context, { template: undefined, path });
  return context.client.replayTemplate({ template, limit, data: source?.text ?? '' });
}

function printPlan(context: Context, { version, name, globalTimeoutSeconds, machines, actions }: PlanItem): void {
  const limit = globalTimeoutSeconds === 0 ? 'no time limit' : `at most ${duration(globalTimeoutSeconds)}`;
  context.out(`${name} (template ${version}): ${count(actions.length, 'action')}, ${limit}`);
  for (const workerId of new Set(actions.map((action) => action.workerId))) {
    const known = machines.find((machine) => machine.workerId === workerId);
    context.out('');
    context.out(known ? `${known.device} ${known.address} (${workerId})` : workerId);
    actions.forEach((action, index) => {
      if (action.workerId === workerId)
        for (const line of actionLines(context, action, index, actions)) context.out(line);
    });
  }
  const destructive = actions.filter(({ plan }) => plan.destructive).length;
  context.out('');
  context.out(
    destructive === 0 ? 'Nothing in it is marked as destructive.' : `Destructive: ${count(destructive, 'action')}.`,
  );
}

function actionLines(
  { screen }: Context,
  action: PlannedAction,
  index: number,
  all: readonly PlannedAction[],
): readonly string[] {
  const { plan } = action;
  const before = plan.needs.map((need) => all[need]?.plan.id ?? '');
  const isNext = plan.needs.length === 1 && plan.needs[0] === index - 1 && all[index - 1]?.workerId === action.workerId;
  const retry = plan.retry;
  const facts: readonly (readonly [string, string])[] = [
    ['image', action.image],
    ['timeout', duration(action.timeoutSeconds)],
    ['after', isNext ? '' : before.join(', ')],
    ['runs', plan.runs === 'success' ? '' : runs[plan.runs]],
    ['if', plan.condition],
    ['asks', plan.approval ?? ''],
    ['retries', retry ? `${retry.limit}, ${retry.delaySeconds} s apart, growing ${retry.factor}-fold` : ''],
    ['on reboot', plan.onReboot === 'fail' ? '' : plan.onReboot],
    ['command', action.command.map((word) => (/^[\w./:=-]+$/.test(word) ? word : JSON.stringify(word))).join(' ')],
    ...action.environment.map((entry) => ['env', entry.replaceAll('\n', '\\n')] as const),
    ...Object.entries(plan.secrets).map(([variable, secret]) => ['secret', `${variable} from ${secret}`] as const),
    ['volumes', action.volumes.join(', ')],
    ['pid', action.pid],
  ];
  const mark = plan.destructive ? `  ${paint(screen, 'red', 'DESTRUCTIVE')}` : '';
  return [
    `${String(index).padStart(4)}  ${plan.id}${mark}`,
    ...facts.filter(([, text]) => text !== '').map(([fact, text]) => `        ${fact.padEnd(9)} ${text}`),
  ];
}

const runs = {
  failure: 'only when one of these failed or timed out',
  timeout: 'only when one of these timed out',
  always: 'however these ended',
} as const;

function printReplay(context: Context, { differing, same, leftOut }: ReplayItem): void {
  const time = timeText(context, false);
  for (const { workflowId, createdAt, templateVersion, status, changes, refused } of differing) {
    context.out(`${workflowId}  ${status}, made ${time(createdAt)} of version ${templateVersion}`);
    if (refused) context.out(`    could not be made: ${refused.message}`);
    for (const { action, change, field, from, to } of changes) {
      const what = [action, field].filter((part) => part !== '').join(' ');
      context.out(change === 'changed' ? `    ${what}: ${shown(from)} → ${shown(to)}` : `    ${what} ${change}`);
    }
  }
  const older = leftOut === 0 ? '' : `; ${count(leftOut, 'older workflow')} not looked at (--limit)`;
  context.out(`${count(differing.length, 'workflow')} would differ, ${same} would be the same${older}`);
}

function shown(value: unknown): string {
  if (value === null) return 'none';
  return typeof value === 'string' ? value : JSON.stringify(value);
}

function duration(seconds: number): string {
  const [hours, minutes, rest] = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60, seconds % 60];
  return `${hours > 0 ? `${hours}h` : ''}${minutes > 0 ? `${minutes}m` : ''}${rest > 0 || seconds === 0 ? `${rest}s` : ''}`;
}
