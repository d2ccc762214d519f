import type { HardwareRecord, Json, JsonObject } from '@tinkerbell/events';

/** `plain` lists directories as the first hegel did; `slash` ends their names in `/`, as the EC2 service and today's tootles do. */
export type ListingForm = 'plain' | 'slash';

interface Leaf {
  readonly values: (record: HardwareRecord) => readonly Json[];
}
interface Directory {
  readonly children: Readonly<Record<string, Node>>;
  /** Left out of its parent's listing when false; it can still be asked for. */
  readonly listed?: (record: HardwareRecord) => boolean;
}
type Node = Leaf | Directory;

/** The whole tree below `/2009-04-04`: a listing can only show what can be asked for. */
const tree: Directory = {
  children: {
    'user-data': leaf('userdata'),
    'meta-data': {
      children: {
        'instance-id': leaf('instance', 'id'),
        hostname: leaf('instance', 'hostname'),
        'local-hostname': leaf('instance', 'hostname'),
        iqn: leaf('instance', 'iqn'),
        plan: leaf('instance', 'plan'),
        facility: leaf('instance', 'facility'),
        tags: list('instance', 'tags'),
        'public-keys': list('instance', 'ssh_keys'),
        'public-ipv4': addresses(4, true),
        'public-ipv6': addresses(6, true),
        'local-ipv4': addresses(4, false),
        'operating-system': {
          children: {
            slug: leaf('instance', 'operating_system', 'slug'),
            distro: leaf('instance', 'operating_system', 'distro'),
            version: leaf('instance', 'operating_system', 'version'),
            image_tag: leaf('instance', 'operating_system', 'image_tag'),
            license_activation: {
              children: { state: leaf('instance', 'operating_system', 'license_activation', 'state') },
            },
          },
        },
        spot: {
          children: { 'termination-time': leaf('instance', 'spot', 'termination_time') },
          listed: ({ metadata }) => at(metadata, ['instance', 'spot']) !== null,
        },
      },
    },
  },
};

/** Text at a path such as `/meta-data/hostname` ('' = the root); undefined: no such item. An item without a value is ''. */
export function ec2Text(record: HardwareRecord, path: string, form: ListingForm): string | undefined {
  let node: Node = tree;
  for (const name of path.split('/').filter((part) => part !== '')) {
    const child: Node | undefined =
      'children' in node && Object.hasOwn(node.children, name) ? node.children[name] : undefined;
    if (!child) return undefined;
    node = child;
  }
  return 'children' in node ? listing(node, record, form) : lines(node.values(record));
}

function listing({ children }: Directory, record: HardwareRecord, form: ListingForm): string {
  return Object.keys(children)
    .sort()
    .flatMap((name) => {
      const child = children[name];
      if (!child || !('children' in child)) return [name];
      if (child.listed && !child.listed(record)) return [];
      return [form === 'slash' ? `${name}/` : name];
    })
    .join('\n');
}

/** One value a line, as jq prints with `-r`: text as it is, null as nothing, everything else as JSON. */
export function lines(values: readonly Json[]): string {
  return values
    .filter((value) => value !== null)
    .map((value) => (typeof value === 'string' ? value : JSON.stringify(value)))
    .join('\n');
}

function leaf(...path: readonly string[]): Leaf {
  return { values: ({ metadata }) => [at(metadata, path)] };
}

function list(...path: readonly string[]): Leaf {
  return { values: ({ metadata }) => items(at(metadata, path)) };
}

function addresses(family: number, isPublic: boolean): Leaf {
  return {
    values: ({ metadata }) =>
      items(at(metadata, ['instance', 'network', 'addresses']))
        .filter(isObject)
        .filter((entry) => entry['address_family'] === family && (entry['public'] === true) === isPublic)
        .map((entry) => entry['address'] ?? null),
  };
}

/** Metadata is free-form: whatever stands in the way of a path reads as null. */
function at(value: Json, path: readonly string[]): Json {
  return path.reduce<Json>(
    (here, key) => (isObject(here) && Object.hasOwn(here, key) ? (here[key] ?? null) : null),
    value,
  );
}

function items(value: Json): readonly Json[] {
  return Array.isArray(value) ? (value as readonly Json[]) : [];
}

function isObject(value: Json): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
