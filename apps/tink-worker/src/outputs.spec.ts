import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { action } from './testing/fake-server';
import { folder, world } from './testing/world';

describe('outputs of an action', () => {
  it('go with its result, each its own', async () => {
    const { server, containers, start, done } = world([action('first'), action('second'), action('third')]);
    containers.behaviour = ({ spec }) => {
      if (spec.name.includes('_0_')) writeFileSync(folder('outputs.json'), '{"disk": "/dev/vda", "parts": [1, 2]}\n');
      if (spec.name.includes('_2_')) writeFileSync(folder('outputs.json'), '{}');
      return 0;
    };
    await done(start().life);
    expect(server.finished.map(({ outcome, outputs }) => [outcome, outputs])).toEqual([
      ['succeeded', { disk: '/dev/vda', parts: [1, 2] }],
      ['succeeded', undefined],
      ['succeeded', {}],
    ]);
  });

  it.each<[string, () => void, string]>([
    ['no JSON', () => writeFileSync(folder('outputs.json'), '{"a": tru'), 'is not JSON'],
    ['nothing at all', () => writeFileSync(folder('outputs.json'), ''), 'is not JSON'],
    ['a list', () => writeFileSync(folder('outputs.json'), '[1]'), 'is not a JSON object'],
    ['null', () => writeFileSync(folder('outputs.json'), 'null'), 'is not a JSON object'],
    [
      'too much',
      () => writeFileSync(folder('outputs.json'), JSON.stringify({ a: 'x'.repeat(16_384) })),
      'has 16392 bytes, more than the 16384 allowed',
    ],
    [
      'more than it seems',
      () =>
        writeFileSync(
          folder('outputs.json'),
          Buffer.concat([Buffer.from('{"a":"'), Buffer.alloc(9_000, 0xff), Buffer.from('"}')]),
        ),
      'has 27008 bytes as JSON, more than the 16384 allowed',
    ],
    [
      'a tower',
      () => writeFileSync(folder('outputs.json'), `{"a":${'['.repeat(40)}${']'.repeat(40)}}`),
      'is nested deeper than 32',
    ],
    ['a link', () => symlinkSync('/etc/passwd', folder('outputs.json')), 'cannot be read: ELOOP'],
    ['a folder', () => mkdirSync(folder('outputs.json')), 'is not a plain file'],
    [
      'a secret',
      () => writeFileSync(folder('outputs.json'), '{"a":["the pass\\u0077ord"]}'),
      'holds the value of a secret',
    ],
    ['a secret as a key', () => writeFileSync(folder('outputs.json'), '{"password":1}'), 'holds the value of a secret'],
  ])('fail the action when they are %s, which its on-failure command follows', async (_, leave, why) => {
    const { bus, server, containers, start } = world(
      [action('only', { onFailure: ['clean'] }), action('never')],
      [{ secrets: { P: 'password' } }],
    );
    containers.behaviour = ({ spec }) => {
      if (spec.command.length === 0) leave();
      return 0;
    };
    start();
    await bus.until(() => server.handlers.length === 1);
    expect(server.finished).toMatchObject([{ outcome: 'failed', reason: 'refused', exitCode: 0 }]);
    expect(server.finished[0]?.message).toContain(`/workflow/outputs.json ${why}`);
    expect(server.finished[0]).not.toHaveProperty('outputs');
    expect(server.started).toHaveLength(1);
  });

  it('of one that failed are not taken', async () => {
    const { server, containers, start, done } = world([action('only')]);
    containers.behaviour = () => {
      writeFileSync(folder('outputs.json'), '{"a":1}');
      return 1;
    };
    await done(start().life);
    expect(server.finished[0]).toMatchObject({ outcome: 'failed', reason: 'exit' });
    expect(server.finished[0]).not.toHaveProperty('outputs');
  });
});
