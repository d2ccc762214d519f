import type { Json, JsonObject } from '@tinkerbell/events';

/** Keywords that are for people. */
const prose = new Set(['$schema', '$id', 'title', 'description', 'examples']);

/**
 * What a consumer that was written for `before` could trip over in data made for `after`, one line each; empty = the change only adds.
 * Consumers read and never write, so data may become narrower (a value less, never null again) but not wider: every field that was always
 * there stays and keeps its type, and no value comes in that the old schema excluded. New fields are free: consumers ignore what they do
 * not know. A keyword that this does not understand must not change at all.
 */
export function breakingChanges(before: Json | undefined, after: Json | undefined, path = 'data'): readonly string[] {
  if (!isObject(before) || !isObject(after)) return same(before, after) ? [] : [`${path}: schema replaced`];
  const alternatives = variants(before);
  return variants(after).flatMap((now) => {
    const faults = alternatives.map((was) => compare(was, now, path));
    if (faults.some(({ length }) => length === 0)) return [];
    const [only, ...others] = faults;
    return others.length === 0 && only ? only : [`${path}: may now be ${nameOf(now)}, which was excluded`];
  });
}

function variants(schema: JsonObject): readonly JsonObject[] {
  return Array.isArray(schema.anyOf) ? schema.anyOf.filter(isObject) : [schema];
}

function compare(was: JsonObject, now: JsonObject, path: string): readonly string[] {
  if (now.anyOf !== undefined) return [`${path}: may now be ${nameOf(now)}, which was excluded`];
  return [
    ...typeChange(was, now, path),
    ...valueChange(was, now, path),
    ...(isObject(was.properties) ? fieldChanges(was, was.properties, now, path) : []),
    ...(was.items === undefined ? [] : breakingChanges(was.items, now.items, `${path}[]`)),
    ...Object.keys(was)
      .filter((key) => !handled.has(key) && !prose.has(key) && !same(was[key], now[key]))
      .map((key) => `${path}: ${key} was ${JSON.stringify(was[key])}, is ${JSON.stringify(now[key]) ?? 'gone'}`),
  ];
}

const handled = new Set(['type', 'enum', 'const', 'properties', 'required', 'items', 'anyOf']);

function typeChange({ type: was }: JsonObject, { type: now }: JsonObject, path: string): readonly string[] {
  const narrower = was === now || was === undefined || (was === 'number' && now === 'integer');
  return narrower ? [] : [`${path}: type was ${JSON.stringify(was)}, is ${JSON.stringify(now) ?? 'anything'}`];
}

function valueChange(was: JsonObject, now: JsonObject, path: string): readonly string[] {
  const allowed = valuesOf(was);
  if (allowed === undefined) return [];
  const values = valuesOf(now);
  if (values === undefined) return [`${path}: was one of ${JSON.stringify(allowed)}, is anything`];
  const added = values.filter((value) => !allowed.some((each) => same(each, value)));
  return added.length === 0 ? [] : [`${path}: may now be ${JSON.stringify(added)}, which was excluded`];
}

function valuesOf(schema: JsonObject): readonly Json[] | undefined {
  if (schema.const !== undefined) return [schema.const];
  return Array.isArray(schema.enum) ? schema.enum : undefined;
}

function fieldChanges(was: JsonObject, fields: JsonObject, now: JsonObject, path: string): readonly string[] {
  const current = isObject(now.properties) ? now.properties : {};
  const required = (schema: JsonObject, field: string) =>
    Array.isArray(schema.required) && schema.required.includes(field);
  return Object.entries(fields).flatMap(([field, schema]) => {
    const place = `${path}.${field}`;
    if (!Object.hasOwn(current, field)) return [`${place}: removed`];
    const optional = required(was, field) && !required(now, field) ? [`${place}: was always there, is optional`] : [];
    return [...optional, ...breakingChanges(schema, current[field], place)];
  });
}

function nameOf(schema: JsonObject): string {
  return typeof schema.type === 'string' ? schema.type : JSON.stringify(schema);
}

function isObject(value: Json | undefined): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function same(a: Json | undefined, b: Json | undefined): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}
