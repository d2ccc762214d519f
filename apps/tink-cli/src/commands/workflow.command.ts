import { CommandError, define, exit, type Context } from '../cli-command';
import type { WorkflowDataItem, WorkflowItem } from '../api-types';
import { outputFlag, printListing, quietFlag } from '../output/print';
import { asOf, atFlag } from './as-of';
import { deleteEach } from './delete-each';
import { devicesOf } from './devices';
import { getDocument, getFlags } from './get-flags';
import { checkUuids, someIds } from './ids';
import { printNotes } from './print-notes';
import { workflowListing } from './workflow-views';
import { workflowYaml } from './workflow-yaml';

const someWorkflows = { ...someIds, complete: ['workflow'] } as const;

export const workflowCreate = define({
  name: 'workflow create',
  summary: 'create a workflow',
  details: 'Renders the template for the given machines and makes what comes out the next thing that they do.',
  examples: [
    `tink workflow create -t 614168df-45a5-11eb-b13d-0242ac120003 -r '{"device_1":"08:00:27:00:00:01"}'`,
    `tink workflow create -t install -r '{"device_1":"192.168.1.5"}'`,
  ],
  flags: {
    template: {
      kind: 'text',
      short: 't',
      value: 'ID',
      about: 'workflow template: id or name',
      required: true,
      complete: 'template',
    },
    hardware: {
      kind: 'text',
      short: 'r',
      value: 'JSON',
      about: 'workflow targeted hardwares: device name to MAC or IP address',
      required: true,
    },
  },
  async run({ flags }, context) {
    const { id } = await context.client.createWorkflow({
      template: flags.template,
      hardware: devicesOf(flags.hardware),
    });
    context.out(`Created Workflow:  ${id}`);
    return exit.ok;
  },
});

export const workflowGet = define({
  name: 'workflow get',
  summary: 'get a workflow',
  details: [
    'With ids: prints what each workflow runs, as YAML, or what --output asks for; what it waits for goes to standard error.',
    'Without: the table of all workflows.',
  ].join('\n'),
  examples: [
    'tink workflow get 2b3b6c1e-45a6-11eb-b13d-0242ac120003',
    'tink workflow get',
    'tink workflow get 2b3b6c1e-45a6-11eb-b13d-0242ac120003 -o json',
  ],
  positionals: { usage: '[id]...', min: 0, max: Infinity, complete: ['workflow'] },
  flags: getFlags,
  async run({ flags, positionals }, present) {
    checkUuids(positionals);
    const context = await asOf(present, flags.at);
    const format = flags.output ?? flags.format;
    const items: WorkflowItem[] = [];
    if (positionals.length === 0) items.push(...(await context.client.workflows()));
    else for (const id of positionals) items.push(await context.client.workflow(id));
    if (positionals.length > 0 && format === undefined && !flags['no-headers']) {
      for (const item of items) {
        context.out((await workflowYaml(item)).trimEnd());
        printNotes(context, item);
      }
      return exit.ok;
    }
    const listing = workflowListing(context, items, getDocument(flags, items, positionals));
    await printListing(context, format, listing, { titles: !flags['no-headers'] });
    return exit.ok;
  },
});

export const workflowList = define({
  name: 'workflow list',
  summary: 'list all workflows',
  examples: ['tink workflow list', 'tink workflow list -q', 'tink workflow list --status failed -o wide'],
  flags: {
    quiet: quietFlag('workflow'),
    status: {
      kind: 'text',
      value: 'STATE',
      about: 'only those that are pending, running, success, failed, timeout or cancelled',
      choices: ['pending', 'running', 'success', 'failed', 'timeout', 'cancelled'],
    },
    worker: { kind: 'text', value: 'ID', about: 'only those of this machine (hardware id)', complete: 'hardware' },
    output: outputFlag,
    at: atFlag,
  },
  async run({ flags }, present) {
    const context = await asOf(present, flags.at);
    const items = await context.client.workflows({ status: flags.status, worker: flags.worker });
    if (flags.quiet) for (const { id } of items) context.out(id);
    else await printListing(context, flags.output, workflowListing(context, items, items));
    return exit.ok;
  },
});

export const workflowDelete = define({
  name: 'workflow delete',
  summary: 'delete a workflow',
  details: 'Prints "Deleted" or "Error" for each id. What it did stays in the log.',
  examples: ['tink workflow delete 2b3b6c1e-45a6-11eb-b13d-0242ac120003'],
  positionals: someWorkflows,
  flags: {},
  run({ positionals }, context) {
    checkUuids(positionals);
    return deleteEach(context, positionals, context.client.deleteWorkflow);
  },
});

export const workflowData = define({
  name: 'workflow data',
  summary: 'get workflow data',
  details:
    'Data that actions hand on to each other in /workflow/data, a JSON object; the latest version unless another is asked for.',
  examples: [
    'tink workflow data 2b3b6c1e-45a6-11eb-b13d-0242ac120003',
    'tink workflow data 2b3b6c1e-45a6-11eb-b13d-0242ac120003 -v 2 -m',
  ],
  positionals: someWorkflows,
  flags: {
    version: { kind: 'number', short: 'v', value: 'N', about: 'data version' },
    metadata: { kind: 'switch', short: 'm', about: 'metadata only: worker, action, time and digest' },
    'latest-version': { kind: 'switch', short: 'l', about: 'latest version', aliases: ['latest version', 'latest'] },
    at: atFlag,
  },
  async run({ flags, positionals }, context) {
    checkUuids(positionals);
    for (const id of positionals) {
      const { latest, metadata, text, version } = await dataOf(context, id, flags.version, flags.at);
      if (flags.metadata && metadata === null)
        throw new CommandError(`workflow ${id} has no data yet (version ${version})`, exit.notFound);
      if (flags.metadata) context.out(JSON.stringify(metadata));
      else if (flags['latest-version']) context.out(`Latest workflow data version: ${latest}`);
      else context.out(text);
    }
    return exit.ok;
  },
});

/** The version that is asked for, else the latest, now or then. */
async function dataOf(
  context: Context,
  id: string,
  version: number | undefined,
  at: string | undefined,
): Promise<WorkflowDataItem> {
  if (at === undefined) return context.client.workflowData(id, version);
  const then = await asOf(context, at);
  const versions = (await then.client.workflow(id)).data.map((each) => each.version);
  const latest = versions.at(-1) ?? 0;
  if (version !== undefined && version !== 0 && !versions.includes(version)) {
    throw new CommandError(`workflow ${id} had no data version ${version} then`, exit.notFound);
  }
  if (latest === 0) return { version: 0, latest, metadata: null, text: '{}' };
  return { ...(await context.client.workflowData(id, version || latest)), latest };
}
