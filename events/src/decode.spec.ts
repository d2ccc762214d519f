import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { aggregates, type Aggregate, catalogue } from './catalogue';
import { decodeEvent, decodeWith, MalformedEventError, UnknownEventError } from './decode';
import { samples } from './samples';

const fixtures = fileURLToPath(new URL('../fixtures/', import.meta.url));
const sumsFile = `${fixtures}SHA256SUMS`;

interface Known {
  readonly aggregate: Aggregate;
  readonly type: string;
  readonly v: number;
  readonly current: boolean;
  readonly file: string;
}

const known: readonly Known[] = aggregates.flatMap((aggregate) =>
  Object.entries<{ version: number }>(catalogue[aggregate]).flatMap(([type, { version }]) =>
    Array.from({ length: version }, (_, i) => ({
      aggregate,
      type,
      v: i + 1,
      current: i + 1 === version,
      file: `${type}.v${i + 1}.json`,
    })),
  ),
);

/** `sha256sum -c` format: `<hex>  <file>`. */
function readSums(): Map<string, string> {
  const lines = existsSync(sumsFile) ? readFileSync(sumsFile, 'utf8').split('\n').filter(Boolean) : [];
  return new Map(lines.map((line) => [line.slice(66), line.slice(0, 64)] as const));
}

const hashOf = (file: string) =>
  createHash('sha256')
    .update(readFileSync(fixtures + file))
    .digest('hex');

describe('frozen fixtures', () => {
  it('freezes new ones on request, and fails that run so that nobody leaves it on', () => {
    if (!process.env.UPDATE_FIXTURES) return;
    const sums = readSums();
    const added = known.filter(({ file }) => existsSync(fixtures + file) && !sums.has(file));
    for (const { file } of added) sums.set(file, hashOf(file));
    const lines = [...sums].sort(([a], [b]) => (a < b ? -1 : 1)).map(([file, sum]) => `${sum}  ${file}\n`);
    writeFileSync(sumsFile, lines.join(''));
    expect.fail(`froze ${added.length} new fixtures; run again without UPDATE_FIXTURES`);
  });

  it.each(known)('$file exists, is frozen and was never edited', ({ file }) => {
    expect(existsSync(fixtures + file), `events/fixtures/${file} is missing: CONTRIBUTING.md, "Add an event"`).toBe(
      true,
    );
    const frozen = readSums().get(file);
    expect(frozen, `${file} is not in SHA256SUMS: freeze it with UPDATE_FIXTURES=1`).toBeDefined();
    expect(hashOf(file), `${file} was edited: raise the version of the event instead`).toBe(frozen);
  });

  it.each(known)('$file decodes to the current version', ({ aggregate, type, v, current, file }) => {
    const bytes = readFileSync(fixtures + file);
    expect(JSON.parse(bytes.toString())).toMatchObject({ type, v });
    const decoded = decodeEvent(aggregate, bytes);
    expect(decoded.type).toBe(type);
    const sample = samples[decoded.type];
    expect(decoded.v).toBe(sample.v);
    if (current) expect(decoded).toEqual(sample);
    else expect(Object.keys(decoded.data).sort()).toEqual(Object.keys(sample.data).sort());
  });

  it('holds nothing that the catalogue does not know', () => {
    const names = known.map(({ file }) => file).sort();
    expect(
      readdirSync(fixtures)
        .filter((name) => name !== 'SHA256SUMS')
        .sort(),
    ).toEqual(names);
    expect([...readSums().keys()].sort()).toEqual(names);
  });
});

describe('decodeEvent', () => {
  const event = { type: 'TemplateCreated', v: 1, data: { name: 'a', data: '' } };

  it('reads bytes, text and parsed JSON alike', () => {
    const text = JSON.stringify(event);
    expect(decodeEvent('template', text)).toEqual(event);
    expect(decodeEvent('template', new TextEncoder().encode(text))).toEqual(event);
    expect(decodeEvent('template', event)).toEqual(event);
  });

  it('keeps fields that it does not know', () => {
    const wider = { ...event, data: { ...event.data, colour: 'red' } };
    expect(decodeEvent('template', wider)).toEqual(wider);
  });

  it.each([
    ['a type of another aggregate', 'workflow', event],
    ['an unknown type', 'template', { ...event, type: 'TemplatePainted' }],
    ['a newer version', 'template', { ...event, v: 2 }],
    ['an unknown aggregate', 'rollout', event],
    ['a property of every object', 'template', { ...event, type: 'constructor' }],
    ['an aggregate that is one', 'toString', event],
  ])('refuses %s by name and version', (_, aggregate, stored) => {
    expect(() => decodeEvent(aggregate, stored)).toThrow(UnknownEventError);
    expect(() => decodeEvent(aggregate, stored)).toThrow(`${stored.type} version ${stored.v} of ${aggregate}`);
  });

  it.each([
    ['text', '{"type":', 'not JSON'],
    ['bytes', new Uint8Array([0x22, 0xff, 0x22]), 'not JSON'],
    ['an array', [event], 'not an object'],
    ['no type', { v: 1, data: {} }, 'type is not a name'],
    ['a version as text', { ...event, v: '1' }, 'v of TemplateCreated'],
    ['version 0', { ...event, v: 0 }, 'v of TemplateCreated'],
    ['data as list', { ...event, data: [] }, 'data of TemplateCreated'],
  ])('says what is wrong with %s', (_, stored, fault) => {
    expect(() => decodeEvent('template', stored)).toThrow(MalformedEventError);
    expect(() => decodeEvent('template', stored)).toThrow(fault);
  });

  it('takes retired versions through every upcaster in turn', () => {
    const entries = {
      door: {
        DoorOpened: {
          version: 3,
          upcast: {
            1: (data: object) => ({ ...data, by: 'unknown' }),
            2: ({ by, ...rest }: Record<string, unknown>) => ({ ...rest, person: { name: String(by) } }),
          },
        },
        DoorShut: { version: 2 },
      },
    };
    expect(decodeWith(entries, 'door', { type: 'DoorOpened', v: 1, data: { door: 4 } })).toEqual({
      type: 'DoorOpened',
      v: 3,
      data: { door: 4, person: { name: 'unknown' } },
    });
    expect(decodeWith(entries, 'door', { type: 'DoorOpened', v: 2, data: { by: 'me' } }).data).toEqual({
      person: { name: 'me' },
    });
    expect(() => decodeWith(entries, 'door', { type: 'DoorShut', v: 1, data: {} })).toThrow(UnknownEventError);
  });
});
