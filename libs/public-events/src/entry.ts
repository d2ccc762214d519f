import { type Static, type TNull, type TObject, type TSchema, type TUnion, Type } from '@sinclair/typebox';
import type { Event } from '@tinkerbell/events';

/** An internal event that leaves the house, as `<entity>.<name>` in `version`. */
export interface Published<D> {
  /** kebab-case; the part of the CloudEvents type behind the entity. */
  readonly name: string;
  readonly version: number;
  /** One sentence, for the AsyncAPI document. */
  readonly summary: string;
  readonly schema: TObject;
  readonly map: (data: D) => object;
}
/** An internal event that stays inside, and why. */
export interface Unpublished {
  readonly unpublished: string;
}

/** For every event of a union: what becomes of it. `satisfies` makes a missing one a compile error. */
export type Entries<E extends Event> = {
  readonly [T in E['type']]: Published<Extract<E, { readonly type: T }>['data']> | Unpublished;
};

type DeepReadonly<T> = T extends object ? { readonly [K in keyof T]: DeepReadonly<T[K]> } : T;

/** The compiler holds `map` to the type that the schema describes: type and schema cannot drift apart. */
export function published<const S extends TObject, D>(
  entry: Omit<Published<D>, 'schema' | 'map' | 'version'> & {
    readonly version?: number;
    readonly schema: S;
    readonly map: (data: D) => DeepReadonly<Static<S>>;
  },
): Published<D> {
  return { version: 1, ...entry };
}

export function unpublished(reason: string): Unpublished {
  return { unpublished: reason };
}

/** A string with values that are known today; a consumer has to expect further ones within the same version. */
export const oneOf = (known: readonly string[], description?: string) =>
  Type.String({ examples: [...known], ...(description === undefined ? {} : { description }) });

export const nullable = <S extends TSchema>(schema: S): TUnion<[S, TNull]> => Type.Union([schema, Type.Null()]);

export const time = (description?: string) =>
  Type.String({ format: 'date-time', ...(description === undefined ? {} : { description }) });

export const seconds = (description = 'Seconds.') => Type.Number({ minimum: 0, description });

export const mac = Type.String({ description: 'aa-bb-cc-dd-ee-ff' });

export const nothing = Type.Object({}, { description: 'The subject says it all.' });
