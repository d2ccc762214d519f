import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { InvalidDocumentError } from '@tinkerbell/domain';
import Ajv2020 from 'ajv/dist/2020';
import { parse, stringify } from 'yaml';
import { describe, expect, it } from 'vitest';
import { validTemplate } from '../fixtures/valid-template';
import conformance from '../fixtures/template-validation.json';
import { convertTemplate } from './convert-template';
import { checkTemplate } from './parse-template';
import { templateSchemas } from './schema';

const ajv = new Ajv2020({ allErrors: true, allowUnionTypes: true });
const validators = { '0.1': ajv.compile(templateSchemas['0.1']), '1.0': ajv.compile(templateSchemas['1.0']) } as const;
const read = (file: string): string => readFileSync(join(__dirname, '../../../docs/examples', file), 'utf8');
const examples = { '0.1': read('template.yaml'), '1.0': read('template-1.0.yaml') } as const;
type Version = keyof typeof validators;

function schemaTakes(version: Version, text: string): boolean {
  return validators[version](parse(text));
}
function parserTakes(text: string): boolean {
  try {
    checkTemplate(text);
    return true;
  } catch (error) {
    if (error instanceof InvalidDocumentError) return false;
    throw error;
  }
}

/** Every key of the format at least once. */
const full = `version: "1.0"
name: n
timeout: 1h
tasks:
  - name: t
    worker: 192.168.1.5
    parallel: true
    if: "true"
    volumes: [/a:/b]
    environment: {A: 1}
    actions:
      - name: a
        image: i:1
        timeout: 5m
        command: [x]
        environment: {B: x}
        volumes: [/c:/d:ro]
        pid: host
        retries: {limit: 1, delay: 5s, factor: 2, maxDelay: 1m, exitCodes: [1], onTimeout: true}
        approval: "sure?"
        destructive: true
        onReboot: ask
        secrets: {C: my-secret}
        onTimeout: [x, y]
      - name: b
        image: registry.local:5000/i@sha256:${'a'.repeat(64)}
        needs: [a]
        if: "success()"
        retries: 2
        onFailure: [{name: h, image: i}]
    onFailure: [{name: f, image: i}]
    onTimeout: [{name: o, image: i}]
    finally: [{name: l, image: i}]
  - name: u
    matrix: [device_1, device_2]
    needs: [t]
    actions: [{name: a, image: i}]
onFailure: [{name: a, image: i, worker: 192.168.1.5}]
onTimeout: [{name: a, image: i, worker: 192.168.1.5}]
finally: [{name: a, image: i, worker: 192.168.1.5}]
`;

describe('the schema takes what the parser takes', () => {
  it.each([
    ['1.0', examples['1.0']],
    ['1.0', full],
    ['1.0', convertTemplate(examples['0.1'])],
    ['1.0', convertTemplate(validTemplate)],
    ['0.1', examples['0.1']],
    ['0.1', validTemplate],
    ...conformance.validate
      .filter(({ expect: want }) => want === 'accept')
      .map(({ template }) => ['0.1', stringify(template)] as const),
  ] as const)('%s %#', (version, text) => {
    expect(parserTakes(text)).toBe(true);
    expect(schemaTakes(version, text), ajv.errorsText(validators[version].errors)).toBe(true);
  });
});

type Data = unknown;
type Path = readonly (string | number)[];
const wrongs: readonly Data[] = ['§', 'x y', -1, 1.5, true, [], [[]], {}, { unknown: 1 }, 'A/B[c]', '90s'];

/** The document with one part of it left out, or in its place something that does not belong there. */
function singleFaults(document: Data): readonly (readonly [string, Data])[] {
  const faults: (readonly [string, Data])[] = [];
  const walk = (node: Data, path: Path): void => {
    if (typeof node !== 'object' || node === null) return;
    if (!Array.isArray(node))
      faults.push([`${path.join('.')} with surplus`, changed(document, [...path, 'surplus'], 'x')]);
    for (const [key, value] of Object.entries(node)) {
      const at = [...path, Array.isArray(node) ? Number(key) : key];
      faults.push([`without ${at.join('.')}`, changed(document, at, undefined)]);
      for (const wrong of wrongs)
        faults.push([`${at.join('.')} = ${JSON.stringify(wrong)}`, changed(document, at, wrong)]);
      walk(value, at);
    }
  };
  walk(document, []);
  return faults;
}

/** undefined: without it. */
function changed(node: Data, [key, ...rest]: Path, to: Data): Data {
  if (key === undefined) return to;
  if (Array.isArray(node))
    return node.flatMap((item: Data, i) =>
      i === key ? (rest.length === 0 && to === undefined ? [] : [changed(item, rest, to)]) : [item],
    );
  const { [key]: own, ...others } = node as Record<string, Data>;
  return rest.length === 0 && to === undefined ? others : { ...(node as object), [key]: changed(own, rest, to) };
}

/** What only the parser can know: names that are there twice or not at all, expressions, modes, and texts where YAML sees something else. */
const beyond =
  /cannot have same name|there is no|needs itself|invalid expression|is in environment too|is in the matrix twice|does not wait|in a circle|worker is missing|is not a mode|would hide|it is an image id|has no matrix|ask about itself/;

/** undefined: the parser refuses it for what a schema cannot say. */
function parserSays(text: string): boolean | undefined {
  try {
    checkTemplate(text);
    return true;
  } catch (error) {
    if (!(error instanceof InvalidDocumentError)) throw error;
    return error.faults.every(({ message }) => beyond.test(message)) ? undefined : false;
  }
}

describe('schema and parser agree on single faults', () => {
  it.each([
    ['1.0', full],
    ['0.1', validTemplate],
  ] as const)(
    'of %s',
    (version, text) => {
      const verdicts = singleFaults(parse(text)).map(([what, document]) => {
        return { what, schema: validators[version](document), parser: parserSays(stringify(document)) };
      });
      const disagreed = verdicts.filter(({ schema, parser }) => parser !== undefined && schema !== parser);
      expect(verdicts.filter(({ parser }) => parser === false).length).toBeGreaterThan(150);
      expect(disagreed.map(({ what, schema }) => `${what}: only the ${schema ? 'schema' : 'parser'} takes it`)).toEqual(
        [],
      );
    },
    60_000,
  );
});
