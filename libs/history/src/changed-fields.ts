import type { Json } from '@tinkerbell/events';

/** One value that differs. A side on which there is none has no member. */
export interface FieldChange {
  /** `actions[0].status`; '' is the whole. */
  readonly path: string;
  readonly from?: Json;
  readonly to?: Json;
}

/** What differs between two JSON values, member by member and item by item, in the order of the first. */
export function changedFields(from: Json | undefined, to: Json | undefined, path = ''): readonly FieldChange[] {
  if (Array.isArray(from) && Array.isArray(to)) {
    return Array.from({ length: Math.max(from.length, to.length) }).flatMap((_, i) =>
      changedFields(from[i], to[i], `${path}[${i}]`),
    );
  }
  if (isObject(from) && isObject(to)) {
    const names = [...new Set([...Object.keys(from), ...Object.keys(to)])];
    return names.flatMap((name) => changedFields(from[name], to[name], member(path, name)));
  }
  if (JSON.stringify(from) === JSON.stringify(to)) return [];
  return [{ path, ...(from === undefined ? {} : { from }), ...(to === undefined ? {} : { to }) }];
}

function member(path: string, name: string): string {
  if (!/^[A-Za-z_][\w-]*$/.test(name)) return `${path}[${JSON.stringify(name)}]`;
  return path === '' ? name : `${path}.${name}`;
}

function isObject(value: Json | undefined): value is { readonly [key: string]: Json } {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
