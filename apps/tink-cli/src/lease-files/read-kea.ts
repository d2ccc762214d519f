import {
  associationText,
  type Entry,
  familyOf,
  hexText,
  type Ledger,
  macOfDuid,
  macText,
  maxEpoch,
  type Place,
  quoted,
  timeText,
  wholeNumber,
} from './lease-file';

const required = {
  4: ['address', 'hwaddr', 'client_id', 'valid_lifetime', 'expire', 'hostname'],
  6: ['address', 'duid', 'valid_lifetime', 'expire', 'lease_type', 'iaid', 'hostname'],
} as const;
const infinite = 0xffff_ffff;
/** `lease_type` of IPv6. */
const kinds = ['lease', 'temporary', 'prefix'] as const;

type Columns = ReadonlyMap<string, number>;

/** Kea's memfile of IPv4 or IPv6 leases. Each line is a new word on its address; the header says what stands where. */
export function readKea(file: string, text: string, ledger: Ledger): void {
  let columns: Columns | undefined;
  text.split('\n').forEach((raw, at) => {
    const row = raw.endsWith('\r') ? raw.slice(0, -1) : raw;
    const place = { file, line: at + 1 };
    if (row.trim() === '') return;
    if (isHeader(row) || columns === undefined) columns = readHeader(row, place, ledger);
    else readRow(row, columns, place, ledger);
  });
  if (columns === undefined)
    ledger.fault({ file, line: 1 }, '', 'is empty: a file of Kea begins with the names of its columns');
}

export function isHeader(row: string): boolean {
  return row.startsWith('address,');
}

function readHeader(row: string, place: Place, ledger: Ledger): Columns {
  const columns = new Map(row.split(',').map((name, at) => [name.trim(), at]));
  const family = columns.has('iaid') ? 6 : 4;
  const lacking = required[family].filter((name) => !columns.has(name));
  if (lacking.length > 0) ledger.fault(place, 'header', `names no column ${lacking.join(', ')}`);
  return columns;
}

function readRow(row: string, columns: Columns, place: Place, ledger: Ledger): void {
  const fields = row.split(',');
  if (fields.length !== columns.size) {
    return ledger.fault(place, '', `has ${fields.length} fields, the header names ${columns.size}`);
  }
  const field = (name: string) => unescaped(fields[columns.get(name) ?? -1] ?? '');
  const entry = new Row(place, ledger, field).entry(columns.has('iaid') ? 6 : 4);
  if (entry) ledger.put(entry);
}

class Row {
  constructor(
    private readonly place: Place,
    private readonly ledger: Ledger,
    private readonly field: (name: string) => string,
  ) {}

  /** undefined: it has faults. */
  entry(family: 4 | 6): Entry | undefined {
    const before = this.ledger.faults.length;
    const ip = this.#address(family);
    const lifetime = this.#number('valid_lifetime', infinite);
    const expire = this.#number('expire', maxEpoch + infinite);
    const state = this.#number('state', 4, '0');
    const kind = family === 6 ? this.#kind() : 'lease';
    const mac = this.#mac();
    const clientId = family === 6 ? this.#association() : this.#clientId();
    if (this.ledger.faults.length > before) return undefined;
    // A lease of no seconds was deleted; 2: reclaimed, 3: released, 4: an address that a client made itself.
    if (lifetime === 0 || state > 1) return { kind: 'ended', ip, ...this.place };
    if (kind !== 'lease') return { kind, ip, ...this.place };
    return {
      ...{ kind, ip, family, clientId, ...this.place },
      mac: mac ?? (clientId !== null && family === 6 ? macOfDuid(clientId) : null),
      hostname: this.field('hostname').replace(/\.$/, ''),
      state: state === 1 ? 'declined' : 'bound',
      expiresAt: lifetime === infinite || expire > maxEpoch ? null : timeText(expire),
    };
  }

  #address(family: 4 | 6): string {
    const text = this.field('address');
    const parsed = familyOf(text);
    if (parsed?.family === family) return parsed.ip;
    this.#fault('address', `is no IPv${family} address`);
    return text;
  }

  #number(name: string, max: number, otherwise = ''): number {
    const value = wholeNumber(this.field(name) || otherwise, max);
    if (value === undefined) this.#fault(name, `is no whole number from 0 to ${max}`);
    return value ?? 0;
  }

  #kind(): (typeof kinds)[number] {
    const kind = kinds[this.#number('lease_type', 2)];
    return kind ?? 'lease';
  }

  #mac(): string | null {
    const text = this.field('hwaddr');
    if (text !== '' && hexText(text) === undefined)
      this.#fault('hwaddr', 'is no list of bytes such as 52:54:00:12:34:56');
    return macText(text) ?? null;
  }

  #clientId(): string | null {
    const text = this.field('client_id');
    const id = text === '' ? null : hexText(text);
    if (id === undefined) this.#fault('client_id', 'is no list of bytes such as 01:52:54:00:12:34:56');
    return id ?? null;
  }

  #association(): string | null {
    const iaid = this.#number('iaid', 0xffff_ffff);
    const id = associationText(this.field('duid'), iaid);
    if (id === undefined && this.field('state') !== '1')
      this.#fault('duid', 'is no DUID such as 00:03:00:01:52:54:00:12:34:56');
    return id ?? null;
  }

  #fault(name: string, what: string): void {
    this.ledger.fault(this.place, name, `${quoted(this.field(name))} ${what}`);
  }
}

/** Kea writes a comma in a field as `&#x2c`. */
function unescaped(text: string): string {
  return text.includes('&#x')
    ? text.replace(/&#x([0-9a-f]{2})/gi, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)))
    : text;
}
