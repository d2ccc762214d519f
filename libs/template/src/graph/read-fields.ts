import { nearest } from '@tinkerbell/domain';
import { maxTimeoutSeconds } from '../limits';
import { checkedText, readName, type Unique } from '../read-fields';
import type { Place, YamlReader } from '../yaml-reader';
import type { PlacedText } from './graph-template';

const unitSeconds: Readonly<Record<string, number>> = { d: 86_400, h: 3_600, m: 60, s: 1 };

/** `90s`, `10m`, `1h30m` → whole seconds; 0 when absent. */
export function readDuration(reader: YamlReader, place: Place, max = maxTimeoutSeconds): number {
  const said = reader.text(place);
  if (!said || said.isOpen || !reader.has(place)) return 0;
  const { text } = said;
  const isDuration = text !== '' && /^(?:\d{1,9}d)?(?:\d{1,9}h)?(?:\d{1,9}m)?(?:\d{1,10}s)?$/.test(text);
  if (!isDuration) {
    const instead = /^\d{1,10}$/.test(text) ? `${text}s` : '90s, 10m or 1h30m';
    reader.fault(place, `must be a duration: write ${instead}, got ${JSON.stringify(text)}`);
    return 0;
  }
  const seconds = Array.from(text.matchAll(/(\d+)([dhms])/g)).reduce(
    (sum, [, count, unit = 's']) => sum + Number(count) * (unitSeconds[unit] ?? 1),
    0,
  );
  if (seconds <= max) return seconds;
  reader.fault(place, `must be at most ${max}s, got ${text}`);
  return 0;
}

/** A plain whole number; undefined when absent, open or faulty. */
export function readWhole(reader: YamlReader, place: Place, min: number, max: number): number | undefined {
  const value = readNumber(reader, place, min, max);
  if (value === undefined || Number.isInteger(value)) return value;
  reader.fault(place, `must be a whole number, got ${value}`);
  return undefined;
}

export function readNumber(reader: YamlReader, place: Place, min: number, max: number): number | undefined {
  const said = reader.text(place);
  if (!said || said.isOpen || !reader.has(place)) return undefined;
  const value = /^\d{1,12}(?:\.\d{1,6})?$/.test(said.text) ? Number(said.text) : Number.NaN;
  if (value >= min && value <= max) return value;
  reader.fault(place, `must be a number from ${min} to ${max}, got ${JSON.stringify(said.text)}`);
  return undefined;
}

/** undefined when absent, open or faulty. */
export function readOneOf<T extends string>(reader: YamlReader, place: Place, allowed: readonly T[]): T | undefined {
  const said = reader.text(place);
  if (!said || said.isOpen || !reader.has(place)) return undefined;
  const value = allowed.find((one) => one === said.text);
  if (value !== undefined) return value;
  const near = nearest(said.text, allowed);
  const hint = near === undefined ? '' : `; did you mean ${near}?`;
  reader.fault(place, `must be one of ${allowed.join(', ')}, got ${JSON.stringify(said.text)}${hint}`);
  return undefined;
}

export function readPlaced(reader: YamlReader, place: Place): PlacedText {
  const said = checkedText(reader, place);
  return { text: said?.text ?? '', place, isOpen: said?.isOpen ?? true };
}

/** Several texts; a single one may stand there without a list. */
export function readPlacedList(reader: YamlReader, place: Place): readonly PlacedText[] {
  if (!reader.has(place)) return [];
  const items = reader.isList(place) ? (reader.items(place) ?? []) : [place];
  return items.map((item) => readPlaced(reader, item));
}

export function readPlacedMap(
  reader: YamlReader,
  place: Place,
  isKey: RegExp,
  what: string,
): Readonly<Record<string, PlacedText>> {
  const entries = (reader.entries(place) ?? []).map(([key, value]) => {
    if (!isKey.test(key)) {
      reader.fault(
        { path: value.path, offset: value.keyOffset ?? value.offset },
        `invalid ${what} ${JSON.stringify(key)}`,
      );
    }
    return [key, readPlaced(reader, value)] as const;
  });
  return Object.fromEntries(entries);
}

/** A name in an id: `/` and `[ ]` have a meaning there. */
export function readIdName(reader: YamlReader, place: Place, unique?: Unique): PlacedText {
  const text = readName(reader, place, unique);
  const isOpen = reader.text(place)?.isOpen ?? true;
  if (/[/[\]]/.test(text) && !isOpen) {
    reader.fault(place, `name cannot have / [ or ]: write ${JSON.stringify(text.replace(/[/[\]]+/g, '-'))}`);
  }
  return { text, place, isOpen };
}
