import { Value } from '@sinclair/typebox/value';
import type { Json, Recorded } from '@tinkerbell/events';
import { publicTypeOf, type PublicType } from './table';

/** Reverse-DNS-like beginning of every `type`. */
export const typePrefix = 'io.tink';

/** CloudEvents 1.0, structured mode: what goes over HTTP as `application/cloudevents+json`. */
export interface CloudEvent {
  readonly specversion: '1.0';
  /** `<position>-<index>`: place in the log, the same for ever. */
  readonly id: string;
  readonly type: string;
  readonly source: string;
  /** Id of the entity. */
  readonly subject: string;
  readonly time: string;
  readonly datacontenttype: 'application/json';
  readonly dataschema: string;
  /** Position in the log as 16 digits, because the extension wants text that sorts. */
  readonly sequence: string;
  readonly correlationid?: string;
  readonly actor: string;
  readonly data: Json;
}

/** A public event and where it goes. */
export interface Publication {
  /** `tink.pub.<tenant>.<entity>.<event>.v<N>.<id>` */
  readonly subject: string;
  readonly event: CloudEvent;
}

/** What the world sees of an internal event; undefined: nothing. Holds no field that its schema does not name, whatever the log holds. */
export function toPublication(recorded: Recorded): Publication | undefined {
  const { aggregate, aggregateId, position, index, at, event, metadata } = recorded;
  const known = publicTypeOf(aggregate, event.type);
  if (!known) return undefined;
  const tenant = recorded.stream.split('.')[2] ?? '';
  return {
    subject: `tink.pub.${tenant}.${known.entity}.${known.name}.v${known.version}.${aggregateId}`,
    event: {
      specversion: '1.0',
      id: `${position}-${index}`,
      type: cloudEventType(known),
      source: `/tink/${tenant}`,
      subject: aggregateId,
      time: at,
      datacontenttype: 'application/json',
      dataschema: schemaId(known),
      sequence: String(position).padStart(16, '0'),
      ...(metadata.correlationId === undefined ? {} : { correlationid: metadata.correlationId }),
      actor: metadata.actor,
      data: dataOf(known, event.data),
    },
  };
}

export function cloudEventType({ id }: PublicType): string {
  return `${typePrefix}.${id}`;
}

/** `$id` of the JSON Schema. */
export function schemaId({ id }: PublicType): string {
  return `urn:tink:event:${id}`;
}

function dataOf({ map, schema }: PublicType, data: unknown): Json {
  // The table is keyed by event: its `map` takes this event's data. Clean() changes what it is given.
  const mapped = (map as (data: unknown) => object)(data);
  return Value.Clean(schema, structuredClone(mapped)) as Json;
}

/** Where in the log an event of this id stands; undefined when it is no id of ours. */
export function parseEventId(id: string): { readonly position: number; readonly index: number } | undefined {
  const [, position, index] = /^(\d{1,16})-(\d{1,9})$/.exec(id) ?? [];
  return position === undefined || index === undefined
    ? undefined
    : { position: Number(position), index: Number(index) };
}

/** Binary mode, the same for NATS and HTTP: every attribute as a `ce-` header, the data as the body. */
export function ceHeaders({ data: _, datacontenttype, ...attributes }: CloudEvent): Readonly<Record<string, string>> {
  const pairs = Object.entries(attributes).map(([name, value]) => [`ce-${name}`, encodeHeader(value)]);
  return { ...Object.fromEntries(pairs), 'content-type': datacontenttype };
}

/** The reverse of `ceHeaders`. Throws TypeError when a required attribute is missing. */
export function fromCeHeaders(header: (name: string) => string | undefined, body: string): CloudEvent {
  const value = (name: string) => {
    const text = header(`ce-${name}`);
    return text === undefined || text === '' ? undefined : decodeURIComponent(text);
  };
  const needed = (name: string) => {
    const text = value(name);
    if (text === undefined) throw new TypeError(`not a CloudEvent of ours: no header ce-${name}`);
    return text;
  };
  const correlationid = value('correlationid');
  return {
    specversion: '1.0',
    id: needed('id'),
    type: needed('type'),
    source: needed('source'),
    subject: needed('subject'),
    time: needed('time'),
    datacontenttype: 'application/json',
    dataschema: needed('dataschema'),
    sequence: needed('sequence'),
    ...(correlationid === undefined ? {} : { correlationid }),
    actor: needed('actor'),
    data: JSON.parse(body) as Json,
  };
}

/** CloudEvents HTTP and NATS bindings §3.1.3.2: printable ASCII but space, double quote and percent stands for itself. */
function encodeHeader(value: string): string {
  return value.replace(/[^\x21\x23\x24\x26-\x7e]/gu, (char) =>
    Array.from(new TextEncoder().encode(char), (byte) => `%${byte.toString(16).toUpperCase().padStart(2, '0')}`).join(
      '',
    ),
  );
}
