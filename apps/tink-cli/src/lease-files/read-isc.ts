import { UnendedTextError, type Word, wordsOf } from './isc-words';
import {
  associationText,
  type Entry,
  familyOf,
  type Ledger,
  macOfDuid,
  macText,
  maxEpoch,
  type Place,
  quoted,
  timeText,
  wholeNumber,
  hexText,
} from './lease-file';

/** A statement up to its semicolon, or up to a block and the statements in that. */
interface Statement {
  readonly words: readonly Word[];
  readonly line: number;
  readonly block: readonly Statement[] | undefined;
}

/** The line where the block around ends. */
interface End {
  readonly end: number;
}

const states = ['free', 'active', 'expired', 'released', 'abandoned', 'reset', 'backup'];
const associations = ['ia-na', 'ia-ta', 'ia-pd'];

/** The file of ISC dhcpd, for IPv4 or IPv6. Each block is a new word on its address, or on all addresses of its client. */
export function readIsc(file: string, text: string, ledger: Ledger): void {
  const reader = new Reader(file, ledger);
  try {
    for (const statement of statementsOf(wordsOf(text), file, ledger)) reader.take(statement);
  } catch (error) {
    if (!(error instanceof UnendedTextError)) throw error;
    ledger.fault({ file, line: error.line }, '', error.message);
  }
}

/** Deeper than any file of dhcpd. */
const maxDepth = 16;

function* statementsOf(words: Iterator<Word>, file: string, ledger: Ledger): Generator<Statement> {
  for (;;) {
    const statement = readStatement(words, file, ledger, 0);
    if (statement === undefined) return;
    if ('words' in statement) yield statement;
    else ledger.fault({ file, line: statement.end }, '', 'has a } without its {');
  }
}

/** undefined: nothing more, or nothing that makes sense. */
function readStatement(
  words: Iterator<Word>,
  file: string,
  ledger: Ledger,
  depth: number,
): Statement | End | undefined {
  const own: Word[] = [];
  for (let next = words.next(); !next.done; next = words.next()) {
    const word = next.value;
    const line = own[0]?.line ?? word.line;
    if (word.kind === 'sign' && word.text === ';') return { words: own, line, block: undefined };
    if (word.kind === 'sign' && word.text === '}') {
      if (own.length > 0) ledger.fault({ file, line }, nameOf(own[0]), 'has no ; behind it');
      return { end: word.line };
    }
    if (word.kind === 'sign' && word.text === '{') {
      const block = readBlock(words, { file, line }, ledger, depth);
      return block && { words: own, line, block };
    }
    own.push(word);
  }
  const [first] = own;
  if (first) ledger.fault({ file, line: first.line }, nameOf(first), 'the file ends before its ;');
  return undefined;
}

function nameOf(word: Word | undefined): string {
  return word?.kind === 'word' ? word.text.slice(0, 40) : '';
}

function readBlock(
  words: Iterator<Word>,
  place: Place,
  ledger: Ledger,
  depth: number,
): readonly Statement[] | undefined {
  if (depth >= maxDepth) return ledger.fault(place, '', `has blocks in blocks, more than ${maxDepth} deep`);
  const block: Statement[] = [];
  for (;;) {
    const faults = ledger.faults.length;
    const statement = readStatement(words, place.file, ledger, depth + 1);
    if (statement === undefined) {
      if (ledger.faults.length === faults) ledger.fault(place, '', 'the block that begins here has no end');
      return undefined;
    }
    if (!('words' in statement)) return block;
    block.push(statement);
  }
}

class Reader {
  #isBigEndian = false;
  /** Association → addresses that it had by its last block. */
  readonly #had = new Map<string, readonly string[]>();

  constructor(
    private readonly file: string,
    private readonly ledger: Ledger,
  ) {}

  /** What it knows nothing of (a failover state, a host that was made by OMAPI) it leaves alone. */
  take({ words, block, line }: Statement): void {
    const [first, second] = words;
    if (first?.kind !== 'word') return;
    if (first.text === 'authoring-byte-order') this.#isBigEndian = second?.text === 'big-endian';
    else if (first.text === 'lease') this.#lease(second?.text ?? '', block, { file: this.file, line });
    else if (associations.includes(first.text)) this.#association(first.text, second, block, { file: this.file, line });
  }

  #lease(address: string, block: readonly Statement[] | undefined, place: Place): void {
    const parsed = familyOf(address);
    if (parsed?.family !== 4) return this.ledger.fault(place, 'lease', `${quoted(address)} is no IPv4 address`);
    if (block === undefined) return this.ledger.fault(place, 'lease', `${address} has no block`);
    const before = this.ledger.faults.length;
    const said = new Said(block, this.file, this.ledger);
    const { mac, clientId, hostname } = { mac: said.mac(), clientId: said.clientId(), hostname: said.hostname() };
    const entry = this.#entry(said, place, { ...parsed, mac, clientId, hostname });
    if (this.ledger.faults.length === before) this.ledger.put(entry);
  }

  #entry(
    said: Said,
    place: Place,
    about: Pick<Entry & { kind: 'lease' }, 'ip' | 'family' | 'mac' | 'clientId' | 'hostname'>,
  ): Entry {
    const state = said.state(place);
    const expiresAt = said.end(place, state);
    if (state === 'active' || state === 'abandoned') {
      return { kind: 'lease', ...about, state: state === 'active' ? 'bound' : 'abandoned', expiresAt, ...place };
    }
    return { kind: 'ended', ip: about.ip, ...place };
  }

  #association(kind: string, name: Word | undefined, block: readonly Statement[] | undefined, place: Place): void {
    const bytes = name?.kind === 'text' ? hexOf(name.text) : undefined;
    const clientId = bytes && this.#clientOf(bytes);
    if (clientId === undefined) {
      return this.ledger.fault(place, kind, 'its name is no IAID of four bytes and DUID, in quotes');
    }
    const key = `${kind} ${bytes ?? ''}`;
    for (const ip of this.#had.get(key) ?? []) this.ledger.drop(ip);
    const had: string[] = [];
    for (const { words, block: inner, line } of block ?? []) {
      const [what, address] = words;
      if (what?.text !== 'iaaddr' && what?.text !== 'iaprefix') continue;
      const ip = this.#address6(kind, clientId, address?.text ?? '', inner ?? [], { file: this.file, line });
      if (ip !== undefined) had.push(ip);
    }
    this.#had.set(key, had);
  }

  #address6(
    kind: string,
    clientId: string,
    address: string,
    block: readonly Statement[],
    place: Place,
  ): string | undefined {
    const parsed = familyOf(address.replace(/\/\d+$/, ''));
    if (parsed?.family !== 6) return this.ledger.fault(place, 'iaaddr', `${quoted(address)} is no IPv6 address`);
    const before = this.ledger.faults.length;
    const said = new Said(block, this.file, this.ledger);
    const entry = this.#entry(said, place, {
      ...parsed,
      mac: macOfDuid(clientId),
      clientId,
      hostname: said.hostname(),
    });
    if (this.ledger.faults.length > before) return undefined;
    const isOther = kind !== 'ia-na' && entry.kind === 'lease';
    this.ledger.put(isOther ? { kind: kind === 'ia-pd' ? 'prefix' : 'temporary', ip: address, ...place } : entry);
    return isOther ? address : parsed.ip;
  }

  /** The IAID lies in the file as it lies in memory. */
  #clientOf(hex: string): string | undefined {
    const bytes = hex.slice(0, 8).match(/../g) ?? [];
    const iaid = Number.parseInt((this.#isBigEndian ? bytes : bytes.toReversed()).join(''), 16);
    return bytes.length < 4 ? undefined : associationText((hex.slice(8).match(/../g) ?? []).join(':'), iaid);
  }
}

/** What a block says of its lease. */
class Said {
  constructor(
    private readonly block: readonly Statement[],
    private readonly file: string,
    private readonly ledger: Ledger,
  ) {}

  state(place: Place): string {
    const found = this.#last('binding', 'state');
    // Before failover there were none, only times.
    const text = found?.words[2]?.text ?? (this.#last('abandoned') ? 'abandoned' : 'active');
    if (!states.includes(text))
      this.#fault(found ?? place, 'binding state', `${quoted(text)} is none of ${states.join(', ')}`);
    return text;
  }

  /** null: never. */
  end(place: Place, state: string): string | null {
    const found = this.#last('ends');
    const [day = '', date = '', time = ''] = (found?.words ?? []).slice(1).map(({ text }) => text);
    if (!found && state === 'active') this.#fault(place, 'ends', 'is missing: when does the lease end?');
    if (!found || day === 'never') return null;
    const epoch = day === 'epoch' ? wholeNumber(date, maxEpoch) : epochOf(date, time);
    if (epoch !== undefined) return timeText(epoch);
    const said = found.words.slice(1).map(({ text }) => text);
    this.#fault(
      found,
      'ends',
      `${quoted(said.join(' '))} is no time such as 4 2026/01/31 12:00:00, epoch 1769860800 or never`,
    );
    return null;
  }

  mac(): string | null {
    const found = this.#last('hardware');
    const [, type, address] = found?.words ?? [];
    if (!found || type?.text !== 'ethernet') return null;
    const mac = macText(address?.text ?? '');
    if (mac === undefined) this.#fault(found, 'hardware', `${quoted(address?.text ?? '')} is no Ethernet address`);
    return mac ?? null;
  }

  clientId(): string | null {
    const found = this.#last('uid');
    const [, said] = found?.words ?? [];
    if (!found) return null;
    const hex = said?.kind === 'text' ? hexOf(said.text) : hexText(said?.text ?? '');
    if (hex === undefined)
      this.#fault(found, 'uid', `${quoted(said?.text ?? '')} is neither bytes in quotes nor such as 01:52:54`);
    return hex === undefined || hex === '' ? null : hex;
  }

  hostname(): string {
    return (this.#last('client-hostname') ?? this.#last('hostname'))?.words[1]?.text ?? '';
  }

  #last(...names: readonly string[]): Statement | undefined {
    return this.block.findLast(({ words }) => names.every((name, at) => words[at]?.text === name));
  }

  #fault({ line }: { readonly line: number }, field: string, message: string): void {
    this.ledger.fault({ file: this.file, line }, field, message);
  }
}

/** UTC. */
function epochOf(date: string, time: string): number | undefined {
  const [, year, month, day] = (/^(\d{4})\/(\d\d?)\/(\d\d?)$/.exec(date) ?? []).map(Number);
  const [, hour, minute, second] = (/^(\d\d?):(\d\d):(\d\d)$/.exec(time) ?? []).map(Number);
  if (year === undefined || month === undefined || day === undefined || hour === undefined) return undefined;
  const at = new Date(Date.UTC(year, month - 1, day, hour, minute, second));
  const isReal = at.getUTCMonth() === month - 1 && at.getUTCDate() === day && at.getUTCHours() === hour;
  return isReal && at.getTime() >= 0 ? at.getTime() / 1000 : undefined;
}

/** undefined: not bytes, or more than an option holds. */
function hexOf(text: string): string | undefined {
  if (text.length > 255) return undefined;
  const codes = Array.from(text, (sign) => sign.charCodeAt(0));
  return codes.some((code) => code > 255)
    ? undefined
    : codes.map((code) => code.toString(16).padStart(2, '0')).join('');
}
