import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { aggregates, type Aggregate, type AnyEvent, catalogue, decodeEvent, type Recorded } from '@tinkerbell/events';
import { Ajv2020 } from 'ajv/dist/2020';
import addFormats from 'ajv-formats';
import { describe, expect, it } from 'vitest';
import { ceHeaders, fromCeHeaders, parseEventId, toPublication } from './cloud-event';
import { jsonSchema } from './json-schema';
import { publicTypeOf, publicTypes } from './table';

const folder = fileURLToPath(new URL('../schemas/', import.meta.url));
const text = (value: unknown) => `${JSON.stringify(value, null, 2)}\n`;

const ajv = addFormats(new Ajv2020({ strict: true, allErrors: true }));
const validators = new Map(publicTypes.map((type) => [type.id, ajv.compile(jsonSchema(type))]));

function record(aggregate: Aggregate, event: AnyEvent, more: Partial<Recorded> = {}): Recorded {
  const aggregateId = '9f0b4e4e-8f0c-4b9a-9a55-3d3f0c1a0001';
  return {
    ...{ stream: `tink.ev.default.${aggregate}.${aggregateId}`, aggregate, aggregateId, position: 42, version: 3 },
    ...{ index: 1, at: '2026-01-01T00:00:00.000Z', event, metadata: { id: 'c', actor: 'user:ann' } },
    ...more,
  };
}
/** The frozen samples of every version, as today's events. */
const all = aggregates.flatMap((aggregate) =>
  Object.entries<{ version: number }>(catalogue[aggregate]).flatMap(([type, { version }]) =>
    Array.from({ length: version }, (_, i) => {
      const file = `${type}.v${i + 1}.json`;
      return { file, aggregate, event: decodeEvent(aggregate, readFileSync(`events/fixtures/${file}`)) };
    }),
  ),
);
function sample<T extends AnyEvent['type']>(type: T): Extract<AnyEvent, { readonly type: T }> {
  const found = all.findLast(({ event }) => event.type === type)?.event;
  if (found?.type !== type) throw new Error(`no sample of ${type}`);
  return found as Extract<AnyEvent, { readonly type: T }>;
}

/** The same shape with `canary` in every string. */
function poisoned(value: unknown): unknown {
  if (typeof value === 'string') return `${value} canary`;
  if (Array.isArray(value)) return value.map(poisoned);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, each]) => [key, poisoned(each)]));
}

describe('schemas', () => {
  it('are written anew on request, and that run fails so that nobody leaves it on', () => {
    if (!process.env.UPDATE_FIXTURES) return;
    for (const type of publicTypes) writeFileSync(`${folder}${type.id}.json`, text(jsonSchema(type)));
    expect.fail(`wrote ${publicTypes.length} schemas; run again without UPDATE_FIXTURES`);
  });

  it('in the folder are those of the code: else UPDATE_FIXTURES=1 writes them', () => {
    const found = readdirSync(folder).filter((name) => name.endsWith('.json'));
    expect(found.sort()).toEqual(publicTypes.map(({ id }) => `${id}.json`).sort());
    for (const type of publicTypes) {
      expect(JSON.parse(readFileSync(`${folder}${type.id}.json`, 'utf8'))).toEqual(jsonSchema(type));
    }
  });
});

describe.each(all)('$file', ({ aggregate, event }) => {
  const publication = toPublication(record(aggregate, event));
  const known = publicTypeOf(aggregate, event.type);

  it('is public and valid, or private', () => {
    expect(publication === undefined).toBe(known === undefined);
    if (!known || !publication) return;
    const validate = validators.get(known.id);
    expect(validate?.(publication.event.data), JSON.stringify(validate?.errors)).toBe(true);
  });

  it('gives away no field that its schema does not name', () => {
    if (!known || !publication) return;
    const data = { ...event.data, secretOfANewerRelease: 'x' };
    const wider = toPublication(record(aggregate, { ...event, data } as unknown as AnyEvent));
    expect(wider).toEqual(publication);
  });
});

describe('what must not get out', () => {
  const sentBy = (aggregate: Aggregate, type: AnyEvent['type']) => {
    const event = { ...sample(type), data: poisoned(sample(type).data) } as AnyEvent;
    return JSON.stringify(toPublication(record(aggregate, event))?.event.data);
  };
  const withoutSecrets = (sent: string, secrets: readonly string[]) => {
    expect(sent).toContain('canary');
    for (const secret of secrets) expect(sent).not.toContain(secret);
  };

  it('metadata and boot scripts of hardware', () => {
    const sent = sentBy('hardware', 'HardwareRegistered');
    withoutSecrets(sent, ['metadata', 'facility', 'ipxe', 'osie']);
  });
  it('text of a template', () => {
    for (const type of ['TemplateCreated', 'TemplateUpdated'] as const)
      expect(Object.keys(JSON.parse(sentBy('template', type)) as object)).toEqual(['name', 'bytes']);
  });
  it('environment, command and volumes of actions', () =>
    withoutSecrets(sentBy('workflow', 'WorkflowCreated'), [
      ...['DEST_DISK', 'IMG_URL', '/usr/bin/image2disk', 'report-failure', '/dev:/dev', 'environment'],
    ]));
  it('hashes of tokens and of data', () => {
    withoutSecrets(sentBy('boot', 'BootScriptServed'), ['tokenHash']);
    withoutSecrets(sentBy('enrolment', 'WorkerEnrolled'), ['tokenHash', 'publicKey']);
    withoutSecrets(sentBy('enrolment', 'WorkerCredentialRenewed'), ['publicKey']);
    withoutSecrets(sentBy('workflow', 'WorkflowDataUpdated'), ['sha256']);
    expect(toPublication(record('enrolment', sample('EnrolmentTokenIssued')))).toBeUndefined();
  });
  it('what a machine sends when it phones home', () =>
    withoutSecrets(sentBy('boot', 'MachinePhonedHome'), ['body', sample('MachinePhonedHome').data.body]));
});

describe('a CloudEvent', () => {
  const odd = { id: 'c', actor: 'user:ä "%" b', correlationId: 'a b' };
  const { subject, event } = toPublication(record('workflow', sample('ActionTimedOut'), { metadata: odd })) ?? {
    subject: '',
    event: undefined,
  };

  it('carries place, type and subject', () => {
    expect(subject).toBe('tink.pub.default.workflow.action-timed-out.v1.9f0b4e4e-8f0c-4b9a-9a55-3d3f0c1a0001');
    expect(event).toMatchObject({
      ...{ specversion: '1.0', id: '42-1', type: 'io.tink.workflow.action-timed-out.v1', source: '/tink/default' },
      ...{ subject: '9f0b4e4e-8f0c-4b9a-9a55-3d3f0c1a0001', time: '2026-01-01T00:00:00.000Z' },
      ...{ sequence: '0000000000000042', dataschema: 'urn:tink:event:workflow.action-timed-out.v1' },
    });
    expect(parseEventId(event?.id ?? '')).toEqual({ position: 42, index: 1 });
    expect(['', '1', '1-', '-1', '1-2-3', 'a-b', '1e3-0'].map(parseEventId)).toEqual(Array(7).fill(undefined));
  });

  it('goes into headers as the bindings say, and comes back', () => {
    if (!event) throw new Error('no event');
    const headers = ceHeaders(event);
    expect(headers).toMatchObject({
      'ce-actor': 'user:%C3%A4%20%22%25%22%20b',
      'ce-correlationid': 'a%20b',
      'content-type': 'application/json',
      'ce-id': '42-1',
    });
    expect(fromCeHeaders((name) => headers[name], JSON.stringify(event.data))).toEqual(event);
    expect(() => fromCeHeaders(() => undefined, '{}')).toThrow(TypeError);
  });

  it('has a name of its own for each type, in kebab-case', () => {
    expect(new Set(publicTypes.map(({ id }) => id)).size).toBe(publicTypes.length);
    for (const { name } of publicTypes) expect(name).toMatch(/^[a-z]+(-[a-z]+)*$/);
  });
});
