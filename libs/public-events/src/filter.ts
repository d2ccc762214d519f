import { publicTypes, type PublicType } from './table';

/** `filters[i]` is not a filter, or one that no public event can ever match. */
export class FilterError extends Error {
  constructor(
    readonly index: number,
    readonly fault: string,
  ) {
    super(fault);
  }
}

interface Filter {
  readonly types: readonly PublicType[];
  readonly id: string;
}

const idForm = /^[A-Za-z0-9_-]{1,64}$/;

/**
 * Filters `entity.event` or `entity.event.id`, with `*` for any part of entity and event and for the whole id → NATS subjects that match
 * exactly what one of them matches, none twice (JetStream refuses overlapping ones). No filter = everything. Throws FilterError.
 */
export function filterSubjects(filters: readonly string[]): readonly string[] {
  const parsed = filters.map(parse);
  if (parsed.length === 0 || parsed.some(({ types, id }) => types.length === publicTypes.length && id === '*')) {
    return ['tink.pub.>'];
  }
  return publicTypes.flatMap((type) => {
    const ids = new Set(parsed.filter(({ types }) => types.includes(type)).map(({ id }) => id));
    const wanted = ids.has('*') ? ['*'] : [...ids];
    // Any version: whoever asks for an event means its later ones too.
    return wanted.map((id) => `tink.pub.*.${type.entity}.${type.name}.*.${id}`);
  });
}

function parse(text: string, index: number): Filter {
  const [entity = '', event = '', id = '*', ...rest] = text.split('.');
  const shown = JSON.stringify(text);
  if (event === '' || entity === '' || rest.length > 0) {
    throw new FilterError(index, `${shown} is not entity.event or entity.event.id, e.g. workflow.action-failed`);
  }
  if (id !== '*' && !idForm.test(id)) {
    throw new FilterError(index, `the id in ${shown} must be * or 1 to 64 of A-Z a-z 0-9 _ -`);
  }
  const types = publicTypes.filter((type) => glob(entity)(type.entity) && glob(event)(type.name));
  if (types.length > 0) return { types, id };
  const known = publicTypes.filter((type) => glob(entity)(type.entity)).map(({ name }) => name);
  const entities = [...new Set(publicTypes.map((type) => type.entity))];
  throw new FilterError(
    index,
    known.length > 0
      ? `${shown} matches no public event; those of ${entity} are ${known.join(', ')}`
      : `${shown} matches no public event; entities are ${entities.join(', ')}`,
  );
}

function glob(pattern: string): (text: string) => boolean {
  const parts = pattern.split('*').map((part) => part.replace(/[.*+?^${}()|[\]\\]/g, '\\$&'));
  const form = new RegExp(`^${parts.join('.*')}$`);
  return (text) => form.test(text);
}
