import { hexDigits, parseIpv4 } from '@tinkerbell/bytes';
import type { LeaseHolder } from '@tinkerbell/events';
import { hashOf } from './hash-trie';
import { isoOf } from '../time';
import { textOf } from './ipv4';
import { PackedTexts } from './packed-texts';

/** What was said last of an address. */
export interface Lease extends LeaseHolder {
  readonly hostname: string;
  readonly state: 'bound' | 'released' | 'expired' | 'declined' | 'conflict';
  /** When it runs out; of one in quarantine when that is over. */
  readonly expiresAt: string;
}

/**
 * What a client's lease is found by. A reservation belongs to a network card; a lease from a pool to what the client calls itself
 * (RFC 2131 §4.2), once in each subnet.
 */
export function clientKey({ mac, clientId, subnet, origin }: Omit<LeaseHolder, 'ip' | 'hardwareId'>): string {
  return origin === 'reservation' && mac !== null ? mac : `${subnet} ${clientId ?? mac ?? ''}`;
}

const states = ['bound', 'released', 'expired', 'declined', 'conflict'] as const;
const kind = { state: 7, isReservation: 8, noMac: 16, noHardware: 32, noClientId: 64, asJson: 128 } as const;
const smallest = 256;
/** Leases kept as objects as well, by row: the same one is looked at several times for one request. */
const seenRows = 64;
const gone = 0xffff_ffff;

/**
 * Leases in columns of numbers, outside the heap that V8 collects: hundreds of thousands of them as objects would hold everything up each
 * time that it is. It is changed in place; whoever needs versions keeps what is new elsewhere (`LeaseBook`).
 */
export class LeaseTable {
  #count = 0;
  #ids = new Uint32Array(smallest);
  #times = new Float64Array(smallest);
  #macs = new Float64Array(smallest);
  #kinds = new Uint8Array(smallest);
  #subnets = new Uint16Array(smallest);
  readonly #texts = new PackedTexts(smallest);
  readonly #subnetNames: string[] = [];
  readonly #subnetNumbers = new Map<string, number>();
  /** Rows by address, each with 1 added; open addressing, half full at most. */
  #places = new Uint32Array(2 * smallest);
  /** Likewise by the hash of the client that was given the row's address as its last. */
  #lasts = new Uint32Array(2 * smallest);
  #lastHashes = new Uint32Array(2 * smallest);
  #lastsUsed = 0;
  readonly #seen: (Lease | undefined)[] = new Array<Lease | undefined>(seenRows).fill(undefined);
  readonly #seenRows = new Uint32Array(seenRows);

  get size(): number {
    return this.#count;
  }

  get(ip: string): Lease | undefined {
    const row = this.#rowOf(ip);
    return row < 0 ? undefined : this.#leaseAt(row);
  }

  has(ip: string): boolean {
    return this.#rowOf(ip) >= 0;
  }

  /** Whether what is known of the address is of this network card: as `get` says, without the price of a lease. */
  isOf(ip: string, mac: string): boolean {
    const row = this.#rowOf(ip);
    if (row < 0) return false;
    const bits = this.#kinds[row] ?? 0;
    if ((bits & kind.asJson) !== 0) return this.#leaseAt(row).mac === mac;
    return (bits & kind.noMac) === 0 && this.#macs[row] === macNumber(mac);
  }

  /** What this client was given last, unless that is another's by now. */
  lastOf(key: string): Lease | undefined {
    const hash = hashOf(key);
    const last = this.#lasts.length - 1;
    for (let at = hash & last; this.#lasts[at] !== 0; at = (at + 1) & last) {
      const row = this.#lasts[at] ?? gone;
      if (row === gone || this.#lastHashes[at] !== hash) continue;
      const lease = this.#leaseAt(row - 1);
      if (clientKey(lease) === key) return lease;
    }
    return undefined;
  }

  put(lease: Lease): void {
    this.#put(lease);
  }

  /** And it is the last that its client was given. */
  putLast(lease: Lease): void {
    const row = this.#put(lease);
    const key = clientKey(lease);
    this.dropLast(key);
    const hash = hashOf(key);
    const last = this.#lasts.length - 1;
    let at = hash & last;
    while (this.#lasts[at] !== 0 && this.#lasts[at] !== gone) at = (at + 1) & last;
    if (this.#lasts[at] === 0) this.#lastsUsed++;
    this.#lasts[at] = row + 1;
    this.#lastHashes[at] = hash;
    if (this.#lastsUsed * 2 > this.#lasts.length) this.#sortLasts();
  }

  #put(lease: Lease): number {
    let row = this.#rowOf(lease.ip);
    if (row < 0) row = this.#add(idOf(lease.ip));
    this.#write(row, lease);
    this.#seen[row % seenRows] = undefined;
    return row;
  }

  /** What this client was given last is another's. */
  dropLast(key: string): void {
    const hash = hashOf(key);
    const last = this.#lasts.length - 1;
    for (let at = hash & last; this.#lasts[at] !== 0; at = (at + 1) & last) {
      const row = this.#lasts[at] ?? gone;
      if (row === gone || this.#lastHashes[at] !== hash) continue;
      const there = clientKey(this.#leaseAt(row - 1));
      if (there === key || hashOf(there) !== hash) this.#lasts[at] = gone;
    }
  }

  /** Also what is put while it goes on, or not. */
  *values(): IterableIterator<Lease> {
    for (let row = 0; row < this.#count; row++) yield this.#read(row);
  }

  /** -1: it is in none. */
  #rowOf(ip: string): number {
    const number = parseIpv4(ip);
    const id = number ?? hashOf(ip);
    const last = this.#places.length - 1;
    for (let at = mixed(id) & last; ; at = (at + 1) & last) {
      const row = (this.#places[at] ?? 0) - 1;
      if (row < 0) return -1;
      if (this.#ids[row] !== id) continue;
      const isJson = ((this.#kinds[row] ?? 0) & kind.asJson) !== 0;
      if (isJson ? this.#leaseAt(row).ip === ip : number !== undefined) return row;
    }
  }

  #add(id: number): number {
    if (this.#count === this.#ids.length) this.#grow();
    const row = this.#count++;
    this.#ids[row] = id;
    this.#place(row);
    return row;
  }

  #place(row: number): void {
    const last = this.#places.length - 1;
    let at = mixed(this.#ids[row] ?? 0) & last;
    while (this.#places[at] !== 0) at = (at + 1) & last;
    this.#places[at] = row + 1;
  }

  #grow(): void {
    const size = this.#ids.length * 2;
    this.#ids = grown(this.#ids, new Uint32Array(size));
    this.#times = grown(this.#times, new Float64Array(size));
    this.#macs = grown(this.#macs, new Float64Array(size));
    this.#kinds = grown(this.#kinds, new Uint8Array(size));
    this.#subnets = grown(this.#subnets, new Uint16Array(size));
    this.#texts.grow(size);
    this.#places = new Uint32Array(2 * size);
    for (let row = 0; row < this.#count; row++) this.#place(row);
  }

  /** Anew, without those whose address is another's by now. */
  #sortLasts(): void {
    const [lasts, hashes] = [this.#lasts, this.#lastHashes];
    const live = lasts.reduce((sum, row, at) => sum + (this.#isLive(row, hashes[at] ?? 0) ? 1 : 0), 0);
    let size = 2 * smallest;
    while (size < live * 4) size *= 2;
    this.#lasts = new Uint32Array(size);
    this.#lastHashes = new Uint32Array(size);
    this.#lastsUsed = live;
    lasts.forEach((row, from) => {
      const hash = hashes[from] ?? 0;
      if (!this.#isLive(row, hash)) return;
      let at = hash & (size - 1);
      while (this.#lasts[at] !== 0) at = (at + 1) & (size - 1);
      this.#lasts[at] = row;
      this.#lastHashes[at] = hash;
    });
  }

  #isLive(row: number, hash: number): boolean {
    return row !== 0 && row !== gone && hashOf(clientKey(this.#leaseAt(row - 1))) === hash;
  }

  #leaseAt(row: number): Lease {
    const place = row % seenRows;
    const seen = this.#seen[place];
    if (seen && this.#seenRows[place] === row) return seen;
    const lease = this.#read(row);
    this.#seen[place] = lease;
    this.#seenRows[place] = row;
    return lease;
  }

  #write(row: number, lease: Lease): void {
    const { mac, hardwareId, clientId, hostname, subnet, expiresAt } = lease;
    const time = timeOf(expiresAt);
    const number = mac === null ? 0 : macNumber(mac);
    const isBare = !hardwareId && !clientId && hostname === '';
    const text = isBare ? '' : `${hardwareId ?? ''}\0${clientId ?? ''}\0${hostname}`;
    const isPacked =
      !Number.isNaN(number) &&
      parseIpv4(lease.ip) !== undefined &&
      !Number.isNaN(time) &&
      (isBare || hasThreeParts(text)) &&
      this.#subnetNumber(subnet) !== undefined &&
      this.#texts.put(row, text);
    if (!isPacked) {
      this.#kinds[row] = kind.asJson;
      this.#texts.put(row, escaped(JSON.stringify(lease)));
      return;
    }
    this.#times[row] = time;
    this.#macs[row] = number;
    this.#subnets[row] = this.#subnetNumber(subnet) ?? 0;
    this.#kinds[row] =
      states.indexOf(lease.state) |
      (lease.origin === 'reservation' ? kind.isReservation : 0) |
      (mac === null ? kind.noMac : 0) |
      (hardwareId === null ? kind.noHardware : 0) |
      (clientId === null ? kind.noClientId : 0);
  }

  #read(row: number): Lease {
    const bits = this.#kinds[row] ?? 0;
    const text = this.#texts.get(row);
    if ((bits & kind.asJson) !== 0) return JSON.parse(text) as Lease;
    const first = text.indexOf('\0');
    const second = text.indexOf('\0', first + 1);
    return {
      mac: (bits & kind.noMac) !== 0 ? null : macText(this.#macs[row] ?? 0),
      hardwareId: (bits & kind.noHardware) !== 0 ? null : text.slice(0, Math.max(first, 0)),
      clientId: (bits & kind.noClientId) !== 0 ? null : text.slice(first + 1, second),
      ip: textOf(this.#ids[row] ?? 0),
      subnet: this.#subnetNames[this.#subnets[row] ?? 0] ?? '',
      origin: (bits & kind.isReservation) !== 0 ? 'reservation' : 'pool',
      hostname: text.slice(second + 1),
      state: states[(bits & kind.state) as 0] ?? 'bound',
      expiresAt: isoOf(this.#times[row] ?? 0),
    };
  }

  /** undefined: there are too many. */
  #subnetNumber(name: string): number | undefined {
    const known = this.#subnetNumbers.get(name);
    if (known !== undefined || this.#subnetNames.length > 0xffff) return known;
    this.#subnetNumbers.set(name, this.#subnetNames.length);
    return this.#subnetNames.push(name) - 1;
  }
}

function grown<T extends Uint32Array | Float64Array | Uint8Array | Uint16Array>(from: T, to: T): T {
  to.set(from);
  return to;
}

/** Of what is no IPv4 address in its usual form, a hash. */
function idOf(ip: string): number {
  return parseIpv4(ip) ?? hashOf(ip);
}

/** Milliseconds; NaN: it is no time, or `isoOf` would write it in another way. */
function timeOf(text: string): number {
  if (text === lastTime.text) return lastTime.ms;
  const ms = Date.parse(text);
  lastTime = { text, ms: !Number.isNaN(ms) && isoOf(ms) === text ? ms : NaN };
  return lastTime.ms;
}

/** Many leases run out in the same millisecond. */
let lastTime = { text: '', ms: NaN };

/** No text has what parts it from the next. */
function hasThreeParts(text: string): boolean {
  return text.indexOf('\0', text.indexOf('\0', text.indexOf('\0') + 1) + 1) < 0;
}

/** JSON in ISO 8859-1. */
function escaped(json: string): string {
  return json.replace(/[^\0-\xff]/g, (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`);
}

function mixed(id: number): number {
  const value = Math.imul(id ^ (id >>> 16), 0x85ebca6b);
  return (value ^ (value >>> 13)) >>> 0;
}

/** NaN: not `aa-bb-cc-dd-ee-ff`. */
function macNumber(mac: string): number {
  if (mac.length !== 17) return NaN;
  let sum = 0;
  for (let at = 0; at < 17; at++) {
    const code = mac.charCodeAt(at);
    if (at % 3 === 2) {
      if (code !== 45) return NaN;
    } else if (code >= 48 && code <= 57) sum = sum * 16 + code - 48;
    else if (code >= 97 && code <= 102) sum = sum * 16 + code - 87;
    else return NaN;
  }
  return sum;
}

function macText(number: number): string {
  const [high, low] = [Math.floor(number / 2 ** 32), number >>> 0];
  const vendor = `${dashed[high >>> 8]}${dashed[high & 0xff]}${dashed[low >>> 24]}`;
  return `${vendor}${dashed[(low >>> 16) & 0xff]}${dashed[(low >>> 8) & 0xff]}${hexDigits[low & 0xff]}`;
}

const dashed = hexDigits.map((digits) => `${digits}-`);
