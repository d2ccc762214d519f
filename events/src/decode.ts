import { type AnyEvent, catalogue } from './catalogue';
import type { JsonObject, Upcaster } from './event';

/** The log holds an event that this version of the program does not know. */
export class UnknownEventError extends Error {
  constructor(
    readonly type: string,
    readonly v: number,
    readonly aggregate?: string,
  ) {
    super(`unknown event ${type} version ${v}${aggregate ? ` of ${aggregate}` : ''}: written by a newer release?`);
  }
}

/** What was to be an event is not one: `field` says where it went wrong. */
export class MalformedEventError extends Error {
  constructor(
    readonly field: string,
    fault: string,
  ) {
    super(`not an event: ${field} ${fault}`);
  }
}

interface Entry {
  readonly version: number;
  readonly upcast?: Readonly<Record<number, Upcaster>>;
}
type Entries = Readonly<Record<string, Readonly<Record<string, Entry>>>>;

/**
 * One stored event, as UTF-8 bytes of JSON, as JSON text or already parsed → the event of today: the data of a retired version goes
 * through its upcasters. Fields that this release does not know are kept.
 * Throws UnknownEventError for a type or version not in the catalogue, MalformedEventError for anything that is not an event.
 */
export function decodeEvent(aggregate: string, stored: Uint8Array | string | object): AnyEvent {
  // The catalogue is what says that `data` has the type's shape: samples.ts and the frozen fixtures hold it to that.
  return decodeWith(catalogue, aggregate, parse(stored)) as unknown as AnyEvent;
}

/** `decodeEvent` for any catalogue, with `stored` parsed. */
export function decodeWith(
  entries: Entries,
  aggregate: string,
  stored: unknown,
): { readonly type: string; readonly v: number; readonly data: JsonObject } {
  const { type, v, data } = checkShape(stored);
  const known = own(own(entries, aggregate), type);
  if (!known || v > known.version) throw new UnknownEventError(type, v, aggregate);
  let current = data;
  for (let from = v; from < known.version; from++) {
    const upcast = known.upcast?.[from];
    if (!upcast) throw new UnknownEventError(type, v, aggregate);
    current = upcast(current);
  }
  return { type, v: known.version, data: current };
}

function parse(stored: Uint8Array | string | object): unknown {
  if (typeof stored !== 'string' && !(stored instanceof Uint8Array)) return stored;
  try {
    const text = typeof stored === 'string' ? stored : new TextDecoder('utf-8', { fatal: true }).decode(stored);
    return JSON.parse(text) as unknown;
  } catch (error) {
    throw new MalformedEventError('the text', `is not JSON: ${error instanceof Error ? error.message : String(error)}`);
  }
}

function checkShape(stored: unknown): { type: string; v: number; data: JsonObject } {
  if (!isObject(stored)) throw new MalformedEventError('it', 'is not an object');
  const { type, v, data } = stored;
  if (typeof type !== 'string' || type === '') throw new MalformedEventError('type', 'is not a name');
  if (typeof v !== 'number' || !Number.isSafeInteger(v) || v < 1) {
    throw new MalformedEventError(`v of ${type}`, 'is not a positive integer');
  }
  if (!isObject(data)) throw new MalformedEventError(`data of ${type}`, 'is not an object');
  return { type, v, data };
}

function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** An event named `constructor` must not find Object.prototype's. */
function own<T>(record: Readonly<Record<string, T>> | undefined, key: string): T | undefined {
  return record && Object.hasOwn(record, key) ? record[key] : undefined;
}
