import { InvalidError, NotFoundError } from '@tinkerbell/domain';
import { describe, expect, it } from 'vitest';
import { metadataFor, newId, streamOf } from './caller';
import { Turns } from './turns';

const ann = { actor: 'user:ann', key: 'k1' };

describe('newId', () => {
  it('is the same for the same key and operation, and a UUID', () => {
    expect(newId(ann, 'workflow.create')).toBe(newId(ann, 'workflow.create'));
    expect(newId(ann, 'workflow.create')).not.toBe(newId(ann, 'template.create'));
    expect(newId(ann, 'x')).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
  });
  it('is never the same without a key', () => expect(newId({ actor: 'a' }, 'x')).not.toBe(newId({ actor: 'a' }, 'x')));
});

describe('metadataFor', () => {
  it('joins the key with the operation', () =>
    expect(metadataFor(ann, 'hardware.delete:1')).toEqual({ id: 'hardware.delete:1:k1', actor: 'user:ann' }));
  it.each(['', 'with space', 'é', 'x'.repeat(201)])('refuses the key %j', (key) =>
    expect(() => metadataFor({ actor: 'a', key }, 'x')).toThrow(InvalidError),
  );
});

it.each(['', 'a.b', '*', '>', 'a b', '../x'])('no stream is called %j', (id) =>
  expect(() => streamOf('hardware', id)).toThrow(NotFoundError),
);

it('Turns keeps the order and goes on after a failure', async () => {
  const turns = new Turns();
  const done: string[] = [];
  let release = (): void => undefined;
  const gate = new Promise<void>((resolve) => (release = resolve));
  const first = turns.run(async () => {
    await gate;
    done.push('first');
    throw new Error('broken');
  });
  const second = turns.run(async () => done.push('second'));
  release();
  await expect(first).rejects.toThrow('broken');
  await second;
  expect(done).toEqual(['first', 'second']);
});
