import type { DeadLetterItem, SubscriptionItem } from '../api-types';
import { define, exit, UsageError, type Context } from '../cli-command';
import { outputFlag, printListing, quietFlag, timeText, type Listing } from '../output/print';
import { colorOf, plain } from '../output/screen';
import type { Column } from '../output/table';
import { parsePast } from '../output/time';
import { asOf, atFlag } from './as-of';
import { deleteEach } from './delete-each';

const oneName = { usage: '<name>', min: 1, max: 1, complete: ['subscription'] } as const;

export const filterFlag = {
  kind: 'list',
  value: 'FILTER',
  about: 'only these: entity.event or entity.event.id, * as wildcard (default all)',
} as const;
export const startFlag = {
  kind: 'text',
  value: 'START',
  about: 'where a new one begins: now (default), first, a position, an ISO time, or 2h',
} as const;

export const subscriptionCreate = define({
  name: 'subscription create',
  summary: 'create a subscription, or change an existing one',
  details: [
    'With --webhook its events are sent there, signed after Standard Webhooks with a secret that is printed once.',
    'Without, "tink events subscribe" reads them. A disabled subscription is enabled again. See docs/integrations.md.',
  ].join('\n'),
  examples: [
    'tink subscription create ops --filter "workflow.*,*.deleted" --webhook https://hooks.example/tink',
    'tink subscription create audit --from first',
  ],
  positionals: oneName,
  flags: {
    filter: filterFlag,
    from: startFlag,
    webhook: { kind: 'text', value: 'URL', about: 'where to send the events to' },
    'secret-file': {
      kind: 'text',
      value: 'FILE',
      about: 'sign with the secret in this file (whsec_...) instead of a new one',
      complete: 'file',
    },
  },
  async run({ flags, positionals: [name = ''] }, context) {
    const { webhook, 'secret-file': file } = flags;
    if (file !== undefined && webhook === undefined) throw new UsageError('--secret-file needs --webhook');
    const secret = file === undefined ? {} : { secret: (await context.files.read(file)).trim() };
    const start = flags.from === undefined ? {} : { start: startOf(context, flags.from) };
    const hook = webhook === undefined ? {} : { webhook: { url: webhook, ...secret } };
    const written = await context.client.putSubscription(name, { filters: flags.filter, ...start, ...hook });
    context.err(`${written.changed === false ? 'Unchanged' : 'Saved'} Subscription:  ${name}`);
    if (written.secret !== undefined && file === undefined) {
      context.out(written.secret);
      context.err('This secret signs the requests. It is shown once: keep it where the receiver finds it.');
    }
    return exit.ok;
  },
});

export const subscriptionGet = define({
  name: 'subscription get',
  summary: 'show a subscription',
  examples: ['tink subscription get ops', 'tink subscription get ops -o yaml'],
  positionals: oneName,
  flags: { output: outputFlag, at: atFlag },
  async run({ flags, positionals: [name = ''] }, present) {
    const context = await asOf(present, flags.at);
    const item = await context.client.subscription(name);
    await printListing(context, flags.output, subscriptionListing(context, [item], item));
    return exit.ok;
  },
});

export const subscriptionList = define({
  name: 'subscription list',
  summary: 'list all subscriptions',
  examples: ['tink subscription list', 'tink subscription list -o wide', 'tink subscription list --at 2h'],
  flags: { quiet: quietFlag('subscription'), output: outputFlag, at: atFlag },
  async run({ flags }, present) {
    const context = await asOf(present, flags.at);
    const items = await context.client.subscriptions();
    if (flags.quiet) for (const { name } of items) context.out(name);
    else await printListing(context, flags.output, subscriptionListing(context, items, items));
    return exit.ok;
  },
});

export const subscriptionDelete = define({
  name: 'subscription delete',
  summary: 'delete a subscription, its position and its dead letters',
  details: 'Prints "Deleted" or "Error" for each name.',
  examples: ['tink subscription delete ops'],
  positionals: { usage: '<name>...', min: 1, max: Infinity, complete: ['subscription'] },
  flags: {},
  run({ positionals }, context) {
    return deleteEach(context, positionals, context.client.deleteSubscription);
  },
});

export const subscriptionDeadLetters = define({
  name: 'subscription dead-letters',
  summary: 'list the events that a webhook did not take',
  examples: ['tink subscription dead-letters ops', 'tink subscription dead-letters ops -o json'],
  positionals: oneName,
  flags: { output: outputFlag, at: atFlag },
  async run({ flags, positionals: [name = ''] }, present) {
    const context = await asOf(present, flags.at);
    const letters = await context.client.deadLetters(name);
    await printListing(context, flags.output, deadLetterListing(context, letters));
    return exit.ok;
  },
});

export const subscriptionRedeliver = define({
  name: 'subscription redeliver',
  summary: 'send events to a webhook again',
  details: 'One try for each; what is taken is no dead letter any more. Exit code 1 when one was not taken.',
  examples: ['tink subscription redeliver ops --all', 'tink subscription redeliver ops --event 4711-0'],
  positionals: oneName,
  flags: {
    all: { kind: 'switch', about: 'all dead letters, oldest first' },
    event: { kind: 'text', value: 'ID', about: 'one event, a dead letter or not' },
  },
  async run({ flags, positionals: [name = ''] }, context) {
    if (flags.all === (flags.event !== undefined)) throw new UsageError('say which: --all or --event ID');
    let code: number = exit.ok;
    for await (const { eventId, ok, reason } of context.client.redeliver(name, flags.event)) {
      if (ok) context.out(`Delivered\t${eventId}`);
      else {
        context.err(`Error\t${eventId}\t${plain(reason)}`);
        code = exit.failure;
      }
    }
    return code;
  },
});

/** A duration becomes a time; what it does not know is left to the server, which names what it takes. */
export function startOf(context: Context, text: string): string {
  const past = /^\d+[smhd]$/.test(text) ? parsePast(text, context.now()) : undefined;
  return past === undefined ? text : new Date(past).toISOString();
}

function subscriptionListing(
  context: Context,
  items: readonly SubscriptionItem[],
  document: unknown,
): Listing<SubscriptionItem> {
  const columns = (wide: boolean): readonly Column<SubscriptionItem>[] => {
    const time = timeText(context, wide);
    return [
      { title: 'Name', text: ({ name }) => name },
      { title: 'Status', text: ({ status }) => status, color: ({ status }) => colorOf(status) },
      { title: 'Filters', text: ({ filters }) => filters.join(', ') || '*.*', shrinksTo: 14 },
      { title: 'Webhook', text: ({ webhook }) => webhook?.url ?? '', shrinksTo: 14 },
      { title: 'Dead Letters', text: ({ deadLetters }) => String(deadLetters) },
      { title: 'Start', text: ({ start }) => start, wideOnly: true },
      { title: 'Reason', text: ({ reason }) => reason, wideOnly: true },
      { title: 'Updated At', text: ({ updatedAt }) => time(updatedAt), drops: 1 },
    ];
  };
  return { rows: items, columns, document };
}

function deadLetterListing(context: Context, letters: readonly DeadLetterItem[]): Listing<DeadLetterItem> {
  const columns = (wide: boolean): readonly Column<DeadLetterItem>[] => {
    const time = timeText(context, wide);
    return [
      { title: 'Event', text: ({ eventId }) => eventId },
      { title: 'Type', text: ({ eventType }) => eventType, shrinksTo: 20 },
      { title: 'Tries', text: ({ attempts }) => String(attempts) },
      { title: 'Reason', text: ({ reason }) => reason, shrinksTo: 14 },
      { title: 'At', text: ({ at }) => time(at), drops: 1 },
    ];
  };
  return { rows: letters, columns, document: letters };
}
