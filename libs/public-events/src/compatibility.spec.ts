import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { JsonObject } from '@tinkerbell/events';
import { describe, expect, it } from 'vitest';
import { breakingChanges } from './breaking-changes';
import { jsonSchema } from './json-schema';
import { publicTypes } from './table';

const released = fileURLToPath(new URL('../schemas/released/', import.meta.url));
const files = readdirSync(released).filter((name) => name.endsWith('.json'));

it('a release freezes the schemas that it brings: RELEASE_SCHEMAS=1, and that run fails', () => {
  if (!process.env.RELEASE_SCHEMAS) return;
  for (const type of publicTypes)
    writeFileSync(`${released}${type.id}.json`, `${JSON.stringify(jsonSchema(type), null, 2)}\n`);
  expect.fail('froze the schemas of this release; run again without RELEASE_SCHEMAS');
});

describe('released schemas', () => {
  it('are there', () => expect(existsSync(released) && files.length).toBeGreaterThan(0));

  it.each(files)('%s: what was promised still holds', (file) => {
    const type = publicTypes.find(({ id }) => `${id}.json` === file);
    expect(type, `${file} was released and is no longer published`).toBeDefined();
    if (!type) return;
    const before = JSON.parse(readFileSync(released + file, 'utf8')) as JsonObject;
    expect(breakingChanges(before, jsonSchema(type)), 'raise the version of the public event instead').toEqual([]);
  });
});

describe('breakingChanges', () => {
  const base: JsonObject = {
    type: 'object',
    required: ['a', 'list'],
    properties: {
      a: { type: 'string' },
      b: { type: 'number', minimum: 0 },
      size: { type: 'integer' },
      state: { enum: ['on', 'off'] },
      ip: { anyOf: [{ type: 'object', required: ['x'], properties: { x: { type: 'string' } } }, { type: 'null' }] },
      list: { type: 'array', items: { type: 'object', required: ['n'], properties: { n: { type: 'integer' } } } },
      kind: { const: 'x' },
    },
  };
  const withField = (field: string, schema: JsonObject): JsonObject => ({
    ...base,
    properties: { ...(base.properties as JsonObject), [field]: schema },
  });
  const without = (field: string): JsonObject => {
    const { [field]: _, ...properties } = base.properties as JsonObject;
    return { ...base, properties };
  };

  it.each<[string, JsonObject, string]>([
    ['a field removed', without('b'), 'data.b: removed'],
    ['a field that was always there made optional', { ...base, required: ['list'] }, 'data.a: was always there'],
    ['a changed type', withField('a', { type: 'integer' }), 'data.a: type was "string", is "integer"'],
    ['a type that became anything', withField('a', {}), 'data.a: type was "string", is anything'],
    ['a wider type', withField('size', { type: 'number' }), 'data.size: type was "integer", is "number"'],
    ['a further value', withField('state', { enum: ['on', 'off', 'half'] }), 'data.state: may now be ["half"]'],
    ['an opened enumeration', withField('state', {}), 'data.state: was one of ["on","off"], is anything'],
    ['another constant', withField('kind', { const: 'y' }), 'data.kind: may now be ["y"]'],
    [
      'a field that may now be null',
      withField('a', { anyOf: [{ type: 'string' }, { type: 'null' }] }),
      'data.a: type was "string", is "null"',
    ],
    [
      'a further variant',
      withField('ip', { anyOf: [{ type: 'string' }, { type: 'null' }] }),
      'data.ip: may now be string, which was excluded',
    ],
    [
      'a field removed deep inside',
      withField('list', { type: 'array', items: { type: 'object', required: [], properties: {} } }),
      'data.list[].n: removed',
    ],
    ['items that became anything', withField('list', { type: 'array' }), 'data.list[]: schema replaced'],
    ['a looser limit', withField('b', { type: 'number' }), 'data.b: minimum was 0, is gone'],
  ])('finds %s', (_, after, fault) => {
    const found = breakingChanges(base, after);
    expect(found).toHaveLength(1);
    expect(found[0]).toContain(fault);
  });

  it.each<[string, JsonObject]>([
    ['nothing', base],
    ['a new optional field', withField('new', { type: 'string' })],
    ['a new required field', { ...withField('new', { type: 'string' }), required: ['a', 'list', 'new'] }],
    ['a field that is always there now', { ...base, required: ['a', 'list', 'b'] }],
    ['a value less', withField('state', { enum: ['on'] })],
    ['a narrower type', withField('b', { type: 'integer', minimum: 0 })],
    ['never null again', withField('ip', { type: 'object', required: ['x'], properties: { x: { type: 'string' } } })],
    ['other words', { ...withField('a', { type: 'string', description: 'x', examples: ['y'] }), title: 'z' }],
  ])('allows %s', (_, after) => expect(breakingChanges(base, after)).toEqual([]));
});
