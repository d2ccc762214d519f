import { isObject, type JsonReader, kindOf } from '../json-reader';

export interface SetOption {
  readonly code: number;
  readonly type: string;
  readonly value: unknown;
}

type ReadValue<T> = (reader: JsonReader, value: unknown, path: string) => T;

/** What may be set by number and type, in one version of DHCP. */
export interface OptionRules<T extends SetOption> {
  readonly lastCode: number;
  readonly readers: Readonly<Record<T['type'], ReadValue<T['value']>>>;
  /** What boots says itself in every message, so that nobody can contradict it, and why. */
  readonly reserved: Readonly<Record<number, string>>;
  /** Of options that every client reads in the same way: another type could only be a mistake. `hex` is always taken. */
  readonly expected: Readonly<Record<number, T['type']>>;
  /** Bytes on the wire. */
  sizeOf(option: T): number;
}

/** Bytes of one option: more would crowd out what every machine needs. */
const longest = 512;
const domain = /^(?=.{1,253}\.?$)[a-z0-9_](?:[a-z0-9_-]{0,62}(?<!-))?(?:\.[a-z0-9_](?:[a-z0-9_-]{0,62}(?<!-))?)*\.?$/i;

export function readOptions<T extends SetOption>(
  rules: OptionRules<T>,
  reader: JsonReader,
  value: unknown,
  path: string,
): readonly T[] {
  const seen = new Map<number, string>();
  return reader.list(value, path, 64).flatMap((item, index) => {
    const at = `${path}[${index}]`;
    const read = readOption(rules, reader, item, at);
    if (!read) return [];
    const twin = seen.get(read.code);
    if (twin !== undefined) reader.fault(`${at}.code`, `option ${read.code} is also at ${twin}`);
    seen.set(read.code, at);
    return [read];
  });
}

function readOption<T extends SetOption>(
  rules: OptionRules<T>,
  reader: JsonReader,
  item: unknown,
  path: string,
): T | undefined {
  const before = reader.faults.length;
  if (!isObject(item)) {
    reader.fault(path, `must be an object, got ${kindOf(item)}`);
    return undefined;
  }
  const fields = reader.object(item, path, ['code', 'type', 'value']);
  const code = readCode(rules, reader, fields['code'], `${path}.code`);
  const type = readType(rules, reader, fields['type'], `${path}.type`);
  const wanted = rules.expected[code];
  if (type && wanted && type !== wanted && type !== 'hex') {
    const types = wanted === 'hex' ? 'hex' : `${wanted} (or hex)`;
    reader.fault(`${path}.type`, `option ${code} is of type ${types}, got ${type}`);
  }
  const value = type && rules.readers[type](reader, fields['value'], `${path}.value`);
  if (reader.faults.length > before || type === undefined) return undefined;
  // The readers' table ties each type to its values.
  const option = { code, type, value } as unknown as T;
  const size = rules.sizeOf(option);
  if (size <= longest) return option;
  reader.fault(`${path}.value`, `takes ${size} bytes, more than ${longest}`);
  return undefined;
}

function readCode<T extends SetOption>(
  { reserved, lastCode }: OptionRules<T>,
  reader: JsonReader,
  value: unknown,
  path: string,
): number {
  if (value === undefined || value === null) reader.fault(path, 'is required');
  const code = reader.integer(value, path, 1, lastCode) ?? 0;
  const why = reserved[code];
  if (why !== undefined) reader.fault(path, `option ${code} cannot be set: it ${why}`);
  return code;
}

function readType<T extends SetOption>(
  { readers }: OptionRules<T>,
  reader: JsonReader,
  value: unknown,
  path: string,
): T['type'] | undefined {
  const type = Object.keys(readers).find((known): known is T['type'] => known === value);
  if (type === undefined) reader.fault(path, `must be one of ${Object.keys(readers).join(', ')}, got ${got(value)}`);
  return type;
}

/** Types that both versions have. */
export const plainReaders = {
  text: (reader: JsonReader, value: unknown, path: string) =>
    readForm(reader, value, path, /^[\x20-\x7e]+$/, 'text of printable ASCII'),
  hex: (reader: JsonReader, value: unknown, path: string) =>
    readForm(reader, value, path, /^(?:[0-9a-f]{2})+$/i, 'bytes in hexadecimal').toLowerCase(),
  domains: (reader: JsonReader, value: unknown, path: string) => readList(reader, value, path, readDomain),
  uint8: (reader: JsonReader, value: unknown, path: string) => readNumber(reader, value, path, 0xff),
  uint16: (reader: JsonReader, value: unknown, path: string) => readNumber(reader, value, path, 0xffff),
  uint32: (reader: JsonReader, value: unknown, path: string) => readNumber(reader, value, path, 0xffff_ffff),
  boolean(reader: JsonReader, value: unknown, path: string) {
    if (typeof value !== 'boolean') reader.fault(path, `must be true or false, got ${got(value)}`);
    return value === true;
  },
};

export function readDomain(reader: JsonReader, value: unknown, path: string): string {
  return readForm(reader, value, path, domain, 'a domain name');
}

export function isDomain(text: string): boolean {
  return domain.test(text);
}

export function readForm(reader: JsonReader, value: unknown, path: string, form: RegExp, what: string): string {
  if (typeof value === 'string' && form.test(value)) return value;
  reader.fault(path, `${got(value)} is not ${what}`);
  return '';
}

function readNumber(reader: JsonReader, value: unknown, path: string, max: number): number {
  if (value === undefined || value === null || value === '') reader.fault(path, 'is required');
  return reader.integer(value, path, 0, max) ?? 0;
}

/** Not empty. */
export function readList<T>(reader: JsonReader, value: unknown, path: string, read: ReadValue<T>): readonly T[] {
  const before = reader.faults.length;
  const list = reader.list(value, path, 64);
  if (list.length === 0 && reader.faults.length === before) reader.fault(path, 'is empty');
  return list.map((item, index) => read(reader, item, `${path}[${index}]`));
}

export function got(value: unknown): string {
  return (JSON.stringify(value) ?? 'nothing').slice(0, 100);
}
