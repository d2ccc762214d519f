/** A past-tense fact. `data` is JSON-safe: no Date, Map, bigint or undefined. A published type and version is never edited. */
export interface Event<T extends string = string, V extends number = number, D = unknown> {
  readonly type: T;
  readonly v: V;
  readonly data: D;
}

export type Json = null | boolean | number | string | readonly Json[] | JsonObject;
export interface JsonObject {
  readonly [key: string]: Json;
}

/** Who asked, and why. `id` is the command id: the same id appended twice is stored once. */
export interface Metadata {
  readonly id: string;
  /** `user:admin`, `worker:<id>`, `boots`, `reactor:<name>` … */
  readonly actor: string;
  readonly correlationId?: string;
  readonly causationId?: string;
}

/** One stored event with its place in the log. Events of one commit share `position` and differ in `index`. */
export interface Recorded<E extends Event = Event> {
  /** The NATS subject, `tink.ev.<tenant>.<aggregate>.<id>`. */
  readonly stream: string;
  readonly aggregate: string;
  readonly aggregateId: string;
  /** Sequence in the whole log; the concurrency token. */
  readonly position: number;
  /** Gapless number of the commit within its aggregate, from 1. */
  readonly version: number;
  readonly index: number;
  /** When the store took it, ISO 8601. */
  readonly at: string;
  readonly event: E;
  readonly metadata: Metadata;
}

/** Turns the data of one retired version into the data of the next. */
export type Upcaster = (data: JsonObject) => JsonObject;

/** Every event type of an aggregate with its current version; `satisfies Catalogue<XEvent>` makes a missing entry a compile error. */
export type Catalogue<E extends Event> = {
  readonly [T in E['type']]: {
    readonly version: Extract<E, { readonly type: T }>['v'];
    /** Keyed by the version it reads. */
    readonly upcast?: Readonly<Record<number, Upcaster>>;
  };
};
