import { nearest } from '@tinkerbell/domain';
import type { Report } from './expand-graph';
import type { PlacedText } from './graph-template';

/** The machine that an action runs on, as `device` in its texts. */
export interface Device {
  /** Name in the workflow; the address when it has none. */
  readonly name: string;
  readonly address: string;
  readonly hardware: unknown;
}

const step = /\.([A-Za-z_][\w-]*)|\[(?:(\d+)|'((?:[^']|'')*)'|"((?:[^"]|"")*)")\]/y;
/** A text in quotes, which stays, or `device` and what follows it. */
const found =
  /'(?:[^']|'')*'|"(?:[^"]|"")*"|(?<![\w.-])device(?![\w-])((?:\.[A-Za-z_][\w-]*|\[(?:\d+|'(?:[^']|'')*'|"(?:[^"]|"")*")\])*)/g;
const filledIn = /\$\{\{(.*?)\}\}/gs;

/** Puts in what `device.…` stands for: known when the workflow is made, unlike outputs. */
export class DeviceValues {
  constructor(
    private readonly device: Device,
    private readonly report: Report,
  ) {}

  /** An expression: the value as a literal. */
  expression(placed: PlacedText): PlacedText {
    const isWrapped = filledIn.test(placed.text);
    filledIn.lastIndex = 0;
    return { ...placed, text: isWrapped ? this.wrapped(placed) : this.literals(placed, placed.text) };
  }

  /** A text with `${{ }}` in it. Where nothing but `device.…` stands in one, its value is the text. */
  text(placed: PlacedText): PlacedText {
    return placed.text.includes('${{') ? { ...placed, text: this.wrapped(placed) } : placed;
  }

  private wrapped(placed: PlacedText): string {
    return placed.text.replace(filledIn, (all, expression: string) => {
      const inner = expression.trim();
      const [whole, path] = new RegExp(`^(?:${found.source})$`).exec(inner) ?? [];
      if (whole !== undefined && path !== undefined) return shown(this.valueOf(placed, path));
      const filled = this.literals(placed, inner);
      return filled === inner ? all : `\${{ ${filled} }}`;
    });
  }

  private literals(placed: PlacedText, text: string): string {
    return text.replace(found, (all: string, path: string | undefined) =>
      path === undefined ? all : literal(this.valueOf(placed, path)),
    );
  }

  private valueOf({ place }: PlacedText, path: string): unknown {
    let value: unknown = this.device;
    let at = 0;
    for (const [text, name, index, single, double] of path.matchAll(new RegExp(step.source, 'g'))) {
      const key = name ?? index ?? single?.replaceAll("''", "'") ?? double?.replaceAll('""', '"') ?? '';
      if (typeof value !== 'object' || value === null || !Object.hasOwn(value, key)) {
        const keys = typeof value === 'object' && value !== null ? Object.keys(value) : [];
        const near = nearest(key, keys);
        const has = keys.length === 0 ? 'has no parts' : `has ${keys.join(', ')}`;
        const hint = near === undefined ? '' : `; did you mean ${near}?`;
        this.report(place, `device${path} is not there: device${path.slice(0, at)} ${has}${hint}`);
        return null;
      }
      value = (value as Readonly<Record<string, unknown>>)[key];
      at += text.length;
    }
    return path === '' ? this.device.name : value;
  }
}

function shown(value: unknown): string {
  if (value === null || value === undefined) return '';
  return typeof value === 'string' ? value : JSON.stringify(value);
}

function literal(value: unknown): string {
  if (typeof value === 'string') return `'${value.replaceAll("'", "''")}'`;
  if (typeof value === 'number' || typeof value === 'boolean') return String(value);
  return value === null || value === undefined ? 'null' : `'${JSON.stringify(value).replaceAll("'", "''")}'`;
}
