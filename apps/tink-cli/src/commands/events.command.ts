import { aggregates, catalogue, type AnyEvent, type Recorded } from '@tinkerbell/events';
import { define, exit, UsageError, type CliCommand, type Context } from '../cli-command';
import { showMac, toYaml } from '../output/print';
import { paint, plain, type Color, type Screen } from '../output/screen';
import { clock, parsePast } from '../output/time';
import { ActionNames } from '../story/action-names';
import { followEvents } from '../story/follow';
import { machineFilter } from '../story/machine-filter';
import { tell, type Tone } from '@tinkerbell/history';
import { findHardware } from './hardware.command';
import { isMac, isUuid } from './ids';

const eventTypes = Object.values(catalogue).flatMap((entry) => Object.keys(entry));

export const eventsList = define({
  name: 'events list',
  summary: 'tell what happened, one line per event',
  details: [
    'Oldest first. Without --id or --machine the last 60 minutes, with them everything.',
    `--type is an aggregate (${aggregates.join(', ')})`,
    'or an event type such as ActionFailed.',
    '"tink events" is the same.',
  ].join('\n'),
  examples: [
    'tink events --follow',
    'tink events --machine node-1',
    'tink events --id 2b3b6c1e-45a6-11eb-b13d-0242ac120003',
    'tink events --from 2h --type ActionFailed,ActionTimedOut',
    'tink events --from all -o json > log.ndjson',
  ],
  flags: {
    from: {
      kind: 'text',
      short: 'm',
      value: 'TIME',
      about: 'from then on: minutes (15), a duration (30s, 2h, 3d), an ISO time, or all',
    },
    type: {
      kind: 'list',
      value: 'TYPE',
      about: 'only these aggregates or event types',
      choices: ['all', ...aggregates, ...eventTypes],
    },
    id: {
      kind: 'list',
      value: 'ID',
      about: 'only of these aggregates: hardware, template or workflow id, MAC',
      complete: 'workflow',
    },
    machine: {
      kind: 'text',
      value: 'NAME',
      about: 'everything about one machine: id, MAC, IP address or host name',
      complete: 'machine',
    },
    follow: { kind: 'switch', short: 'f', about: 'go on with new events as they come' },
    last: { kind: 'number', value: 'N', about: 'only the newest N' },
    output: {
      kind: 'text',
      short: 'o',
      value: 'FORMAT',
      about: 'table, wide (whole ids, position, who), json (as recorded, one a line) or yaml',
      choices: ['table', 'wide', 'json', 'yaml'],
    },
  },
  async run({ flags }, context) {
    const ids = new Set(flags.id.map((id) => (isMac(id) ? id.replaceAll(':', '-') : id).toLowerCase()));
    const wanted = flags.type.filter((type) => type !== 'all');
    const ofMachine = flags.machine === undefined ? undefined : await machineOf(context, flags.machine);
    const everything = ids.size > 0 || ofMachine !== undefined;
    const query = { since: since(context, flags.from ?? (everything ? 'all' : '60')), ...atServer(wanted, [...ids]) };
    const matches = ({ aggregate, aggregateId, event }: Recorded<AnyEvent>) =>
      (ids.size === 0 || ids.has(aggregateId.toLowerCase())) &&
      (wanted.length === 0 || wanted.includes(aggregate) || wanted.includes(event.type));
    const print = printer(context, flags.output ?? 'table');
    const newest = flags.last === undefined || flags.follow ? undefined : new Newest(flags.last);
    const events = flags.follow ? followEvents(context, query) : context.client.events(query, context.signal);
    for await (const event of events) {
      // The filter of a machine learns from every event, also from those that are not shown.
      const about = ofMachine?.(event) ?? true;
      if (!about || !matches(event)) continue;
      if (newest) newest.add(event);
      else await print(event);
    }
    for (const event of newest?.events ?? []) await print(event);
    return context.signal.aborted ? exit.interrupted : exit.ok;
  },
});

/** `tink events` without a verb. */
export const events: CliCommand = { ...eventsList, name: 'events', hidden: true };

function atServer(
  wanted: readonly string[],
  ids: readonly string[],
): { aggregate?: string; type?: string; id?: string } {
  const [one] = wanted;
  const [id] = ids;
  const narrowed =
    wanted.length === 1 && one !== undefined ? (isAggregate(one) ? { aggregate: one } : { type: one }) : {};
  return { ...narrowed, ...(ids.length === 1 && id !== undefined ? { id } : {}) };
}

const isAggregate = (text: string) => aggregates.some((aggregate) => aggregate === text);

async function machineOf(context: Context, name: string) {
  const { hardware } = await findHardware(context, name);
  const workflows = await context.client.workflows({ worker: hardware.id });
  return machineFilter(
    hardware,
    workflows.map(({ id }) => id),
  );
}

export const toneColors: Readonly<Record<Tone, Color | undefined>> = {
  neutral: undefined,
  good: 'green',
  bad: 'red',
  warn: 'yellow',
  active: 'cyan',
};

/** Prints events as `tink events` does. */
export function printer(context: Context, format: string): (event: Recorded<AnyEvent>) => Promise<void> {
  if (format === 'json') return async (event) => context.out(JSON.stringify(event));
  if (format === 'yaml') return async (event) => context.out(`---\n${(await toYaml(event)).trimEnd()}`);
  const names = new ActionNames(context.client);
  return async (event) => {
    await names.learn(event);
    const { text, tone } = tell(event, names.nameOf);
    const told = paint(context.screen, toneColors[tone], plain(text));
    context.out(
      `${format === 'wide' ? wideHead(event, context.screen) : head(event, context.now(), context.screen)}  ${told}`,
    );
  };
}

/** `10:33:02  workflow 2b3b6c1e`: time of day and the id, of a UUID the beginning, which is enough to tell them apart. */
export function head(
  { at, aggregate, aggregateId }: { readonly at: string; readonly aggregate: string; readonly aggregateId: string },
  now: number,
  screen: Screen,
): string {
  const id = isUuid(aggregateId) ? aggregateId.slice(0, 8) : showMac(aggregateId).slice(0, idWidth);
  const time = paint(screen, 'dim', clock(at, now));
  return `${time}  ${aggregate.padEnd(9)} ${id.padEnd(idWidth)}`;
}

/** Of a MAC. */
const idWidth = 17;

function wideHead({ at, aggregate, aggregateId, position, metadata }: Recorded<AnyEvent>, screen: Screen): string {
  const place = `${paint(screen, 'dim', at)}  ${String(position).padStart(6)}`;
  return `${place}  ${aggregate.padEnd(9)} ${aggregateId.padEnd(36)}  ${plain(metadata.actor).padEnd(20)}`;
}

function since(context: Context, text: string): string | undefined {
  const at = parsePast(text, context.now());
  const hint = 'use 15 (minutes), 30s, 2h, 3d, 2026-01-31T12:00:00Z, or all';
  if (at === undefined) throw new UsageError(`--from does not understand ${JSON.stringify(text)}`, hint);
  return at === 0 ? undefined : new Date(at).toISOString();
}

/** The last so many. */
class Newest {
  readonly events: Recorded<AnyEvent>[] = [];
  constructor(private readonly most: number) {}
  add(event: Recorded<AnyEvent>): void {
    this.events.push(event);
    if (this.events.length > this.most) this.events.shift();
  }
}
