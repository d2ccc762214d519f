import type { AnyEvent, Recorded } from '@tinkerbell/events';
import { define, exit } from '../cli-command';
import { followEvents } from '../story/follow';
import { checkUuids } from './ids';

/** An event as the originals print it: something was created, updated or deleted. */
interface ResourceEvent {
  readonly id: string;
  readonly resource_id: string;
  readonly resource_type: string;
  readonly event_type: string;
  /** JSON. */
  readonly data: string;
  readonly created_at: string;
}

const kinds = ['create', 'update', 'delete'] as const;
const resources = ['hardware', 'template', 'workflow'] as const;

export const eventsWatch = define({
  name: 'events watch',
  summary: 'watch for events of given type(s) on given resource(s)',
  details:
    'Past events first, then new ones until Ctrl-C, as JSON like the original. "tink events --follow" tells them in words.',
  examples: [
    'tink events watch',
    'tink events watch -m 15',
    'tink events watch -r hardware -e create -e delete',
    'tink events watch --resource-type workflow --resource-type hardware --event-type create',
  ],
  flags: {
    'resource-id': { kind: 'text', short: 'i', value: 'ID', about: 'resource ID to watch for', complete: 'workflow' },
    'resource-type': {
      kind: 'list',
      short: 'r',
      value: 'TYPE',
      about: 'resource types to watch for [hardware, template, workflow] or "all"',
      choices: [...resources, 'all'],
    },
    'event-type': {
      kind: 'list',
      short: 'e',
      value: 'TYPE',
      about: 'events to watch for on a given resource [create, update, delete] or "all"',
      choices: [...kinds, 'all'],
    },
    from: {
      kind: 'number',
      short: 'm',
      value: 'MINUTES',
      about: 'include past events for given time from now (in minutes)',
      default: 5,
    },
  },
  async run({ flags }, context) {
    const id = flags['resource-id'];
    if (id !== undefined) checkUuids([id]);
    const note = (what: string) => `ignoring "all" since specific ${what} type(s) have been provided`;
    const types = specific(flags['resource-type'], () => context.err(note('resource')));
    const changes = specific(flags['event-type'], () => context.err(note('event')));
    const since = new Date(context.now() - flags.from * 60_000).toISOString();
    for await (const recorded of followEvents(context, {
      since,
      ...(id === undefined ? {} : { id: id.toLowerCase() }),
    })) {
      const kind = changeOf(recorded);
      if (!resources.some((resource) => resource === recorded.aggregate)) continue;
      if (types.length > 0 && !types.includes(recorded.aggregate)) continue;
      if (changes.length > 0 && !changes.includes(kind)) continue;
      context.out(`${JSON.stringify(resourceEvent(recorded, kind), null, '\t')}\n`);
    }
    return exit.interrupted;
  },
});

function specific(given: readonly string[], onIgnored: () => void): readonly string[] {
  const named = given.filter((type) => type !== 'all');
  if (named.length > 0 && named.length < given.length) onIgnored();
  return named;
}

function changeOf({ event }: Recorded<AnyEvent>): (typeof kinds)[number] {
  if (event.type === 'HardwareRegistered' || event.type === 'TemplateCreated' || event.type === 'WorkflowCreated')
    return 'create';
  return event.type.endsWith('Deleted') ? 'delete' : 'update';
}

function resourceEvent(recorded: Recorded<AnyEvent>, kind: (typeof kinds)[number]): ResourceEvent {
  const { aggregate, aggregateId, event, position, index, at } = recorded;
  const data =
    'hardware' in event.data ? withColons(event.data.hardware) : { id: aggregateId, type: event.type, ...event.data };
  return {
    id: `${position}-${index}`,
    resource_id: aggregateId,
    resource_type: `RESOURCE_TYPE_${aggregate.toUpperCase()}`,
    event_type: `EVENT_TYPE_${kind.toUpperCase()}D`,
    data: JSON.stringify(data),
    created_at: at,
  };
}

function withColons(hardware: Extract<AnyEvent, { readonly type: 'HardwareRegistered' }>['data']['hardware']): unknown {
  const interfaces = hardware.network.interfaces.map(({ dhcp, ...rest }) => ({
    dhcp: { ...dhcp, mac: dhcp.mac.replaceAll('-', ':') },
    ...rest,
  }));
  return { ...hardware, network: { interfaces } };
}
