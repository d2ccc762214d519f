/** What a boot program is asked for by: `/52:54:00:99:00:01/undionly.kpxe-00-<trace>-<span>-01` → MAC and name. */
export interface RequestedName {
  /** `aa-bb-cc-dd-ee-ff`. */
  readonly mac?: string;
  readonly name: string;
}

// Firmware appends nothing, but a chained URL may carry the trace that it belongs to (W3C trace context).
const traceparent = /-00-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}$/i;
const fileName = /^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$/;

/** undefined: the path leads elsewhere, or is no name that we could ever serve. */
export function parseRequestedName(path: string): RequestedName | undefined {
  const parts = path
    .replaceAll('\\', '/')
    .split('/')
    .filter((part) => part !== '' && part !== '.');
  const last = parts.pop()?.replace(traceparent, '');
  if (last === undefined || !fileName.test(last) || parts.length > 1) return undefined;
  const [folder] = parts;
  if (folder === undefined) return { name: last };
  const mac = looseMac(folder);
  return mac === undefined ? undefined : { mac, name: last };
}

/** A MAC in any of the forms that a boot file path can be given in: colons, dashes, dots, none. */
export function looseMac(text: string): string | undefined {
  const isMac =
    /^(?:[\da-f]{2}([:-])(?:[\da-f]{2}\1){4}[\da-f]{2}|[\da-f]{4}\.[\da-f]{4}\.[\da-f]{4}|[\da-f]{12})$/i.test(text);
  const hex = text.toLowerCase().replaceAll(/[:.-]/g, '');
  return isMac ? hex.match(/../g)?.join('-') : undefined;
}
