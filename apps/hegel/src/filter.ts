import type { Json, JsonObject } from '@tinkerbell/events';

/** The filter is not one that we understand, or it does not fit the value. */
export class FilterError extends Error {
  constructor(
    readonly filter: string,
    readonly fault: string,
  ) {
    super(`filter ${JSON.stringify(filter)}: ${fault}`);
  }
}

export type Filter = (value: Json) => readonly Json[];

const tokenPattern = /\s*(?:(\.\.)|(\.)|("(?:[^"\\]|\\.)*")|([A-Za-z_]\w*)|(-?\d+(?:\.\d+)?)|(==|!=|[[\]()|?,]))/y;

/**
 * The part of jq that hegel's endpoints need: `.a.b`, `."a-b"`, `.["a"]`, `.[0]`, `.[]`, `?`, `|`, `,`, parentheses, literals
 * and `select(x)`, `select(x == y)`, `select(x != y)`. As in jq a field of null is null, and a field of a number is an error.
 */
export function parseFilter(text: string): Filter {
  const parser = new Parser(text);
  const filter = parser.pipe();
  parser.end();
  return filter;
}

class Parser {
  private readonly tokens: readonly string[];
  private next = 0;

  constructor(private readonly text: string) {
    this.tokens = tokenize(text);
  }

  end(): void {
    if (this.next < this.tokens.length) this.fail(`unexpected ${this.peek()}`);
  }

  pipe(): Filter {
    const stages = [this.comma()];
    while (this.take('|')) stages.push(this.comma());
    return (value) => stages.reduce<readonly Json[]>((values, stage) => values.flatMap(stage), [value]);
  }

  private comma(): Filter {
    const parts = [this.comparison()];
    while (this.take(',')) parts.push(this.comparison());
    return (value) => parts.flatMap((part) => part(value));
  }

  private comparison(): Filter {
    const left = this.term();
    const operator = this.take('==') ?? this.take('!=');
    if (!operator) return left;
    const right = this.term();
    return (value) => left(value).flatMap((a) => right(value).map((b) => same(a, b) === (operator === '==')));
  }

  private term(): Filter {
    const token = this.peek();
    if (token === '.') return this.suffixes(this.dot());
    if (this.take('(')) return this.suffixes(this.closed(this.pipe()));
    this.next++;
    if (token === 'select') {
      this.expect('(');
      const condition = this.closed(this.pipe());
      return this.suffixes((value) =>
        condition(value).flatMap((kept) => (kept === false || kept === null ? [] : [value])),
      );
    }
    return literal(token, () => this.fail(`unexpected ${token === '' ? 'end' : token}`));
  }

  /** `.`, `.name` or `."name"`; a `[` after the dot is left to the suffixes. */
  private dot(): Filter {
    this.next++;
    const name = this.fieldName();
    return name === undefined ? (value) => [value] : (value) => [this.field(value, name)];
  }

  private suffixes(head: Filter): Filter {
    let filter = head;
    for (;;) {
      const inner = filter;
      if (this.take('?')) filter = optional(inner);
      else if (this.take('[')) filter = chain(inner, this.brackets());
      else if (this.take('.')) {
        const name = this.fieldName() ?? this.fail('a field name is missing after the dot');
        filter = chain(inner, (value) => [this.field(value, name)]);
      } else return filter;
    }
  }

  private brackets(): Filter {
    if (this.take(']')) return (value) => this.items(value);
    const token = this.peek();
    this.next++;
    const key = literal(token, () => this.fail(`unexpected ${token === '' ? 'end' : token} in brackets`))(null)[0];
    this.expect(']');
    if (typeof key === 'string') return (value) => [this.field(value, key)];
    if (typeof key === 'number') return (value) => [value === null ? null : (this.array(value).at(key) ?? null)];
    return this.fail('brackets take a number, a string or nothing');
  }

  private fieldName(): string | undefined {
    const token = this.peek();
    if (/^[A-Za-z_]/.test(token)) this.next++;
    else if (token.startsWith('"')) {
      this.next++;
      return JSON.parse(token) as string;
    } else return undefined;
    return token;
  }

  private field(value: Json, name: string): Json {
    if (value === null) return null;
    if (typeof value !== 'object' || Array.isArray(value)) return this.fail(`${kindOf(value)} has no field ${name}`);
    const object = value as JsonObject;
    return Object.hasOwn(object, name) ? (object[name] ?? null) : null;
  }

  private items(value: Json): readonly Json[] {
    if (value === null || typeof value !== 'object') return this.fail(`cannot iterate over ${kindOf(value)}`);
    return Object.values(value) as readonly Json[];
  }

  private array(value: Json): readonly Json[] {
    return Array.isArray(value) ? (value as readonly Json[]) : this.fail(`${kindOf(value)} has no elements`);
  }

  private closed(inner: Filter): Filter {
    this.expect(')');
    return inner;
  }

  private expect(token: string): void {
    if (!this.take(token)) this.fail(`${token} is missing`);
  }

  private take(token: string): string | undefined {
    if (this.peek() !== token) return undefined;
    this.next++;
    return token;
  }

  private peek(): string {
    return this.tokens[this.next] ?? '';
  }

  private fail(fault: string): never {
    throw new FilterError(this.text, fault);
  }
}

function tokenize(text: string): readonly string[] {
  const tokens: string[] = [];
  const pattern = new RegExp(tokenPattern);
  while (pattern.lastIndex < text.trimEnd().length) {
    const start = pattern.lastIndex;
    const token = pattern.exec(text)?.[0].trim();
    if (token === undefined) throw new FilterError(text, `cannot read ${JSON.stringify(text.slice(start))}`);
    if (token.startsWith('"')) checkString(text, token);
    tokens.push(token);
  }
  if (tokens.length === 0) throw new FilterError(text, 'it is empty');
  return tokens;
}

function checkString(text: string, token: string): void {
  try {
    JSON.parse(token);
  } catch (error) {
    throw new FilterError(text, `bad string ${token}: ${String(error)}`);
  }
}

function literal(token: string, fail: () => never): Filter {
  if (/^(true|false|null|-?\d.*|".*")$/s.test(token)) {
    const value = JSON.parse(token) as Json;
    return () => [value];
  }
  return fail();
}

function chain(first: Filter, second: Filter): Filter {
  return (value) => first(value).flatMap(second);
}

function optional(inner: Filter): Filter {
  return (value) => {
    try {
      return inner(value);
    } catch (error) {
      if (error instanceof FilterError) return [];
      throw error;
    }
  };
}

function same(a: Json, b: Json): boolean {
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return a === b;
  if (Array.isArray(a) !== Array.isArray(b)) return false;
  const [left, right] = [a as JsonObject, b as JsonObject];
  const keys = Object.keys(left);
  return (
    keys.length === Object.keys(right).length &&
    keys.every((key) => Object.hasOwn(right, key) && same(left[key] ?? null, right[key] ?? null))
  );
}

function kindOf(value: Json): string {
  if (value === null) return 'null';
  return Array.isArray(value) ? 'an array' : `a ${typeof value}`;
}
