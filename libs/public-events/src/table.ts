import type { Aggregate } from '@tinkerbell/events';
import { audit } from './entities/audit';
import { boot } from './entities/boot';
import { claim } from './entities/claim';
import { enrolment } from './entities/enrolment';
import { hardware } from './entities/hardware';
import { lease } from './entities/lease';
import { secret } from './entities/secret';
import { subscription } from './entities/subscription';
import { template } from './entities/template';
import { workflow } from './entities/workflow';
import type { Published, Unpublished } from './entry';

/** Aggregate → internal event → what becomes of it outside. */
export const table = {
  hardware,
  template,
  workflow,
  lease,
  boot,
  enrolment,
  claim,
  secret,
  subscription,
  audit,
} as const satisfies Record<Aggregate, object>;

/** One kind of public event. */
export interface PublicType extends Published<never> {
  readonly entity: string;
  /** Of the internal event. */
  readonly type: string;
  /** `<entity>.<name>.v<version>`. */
  readonly id: string;
}

const entries: Readonly<Record<string, Readonly<Record<string, Published<never> | Unpublished>>>> = table;

/** Every public event, in the order of the catalogue. */
export const publicTypes: readonly PublicType[] = Object.entries(entries).flatMap(([entity, events]) =>
  Object.entries(events).flatMap(([type, entry]) =>
    'unpublished' in entry
      ? []
      : [{ ...entry, entity, type, id: `${entity}.${entry.name}.v${entry.version}` } satisfies PublicType],
  ),
);

const byType = new Map(publicTypes.map((each) => [`${each.entity}.${each.type}`, each]));

/** undefined: the event is not public, or not known to this release. */
export function publicTypeOf(aggregate: string, type: string): PublicType | undefined {
  return byType.get(`${aggregate}.${type}`);
}
