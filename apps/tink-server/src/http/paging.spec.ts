import { actionSpec, workflowCreated } from '@tinkerbell/testing';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { openMemory, type Memory } from '../testing/memory';
import { listBytes, listOf } from './paging';
import { Query } from './query';

let memory: Memory;
beforeEach(async () => {
  memory = await openMemory();
  for (const id of ['a', 'b', 'c'])
    await memory.given('workflow', id, workflowCreated([actionSpec({ name: `größe ✓ 🖥 ${id}` })]));
});
afterEach(() => memory.close());

async function bothOf(path: string): Promise<readonly unknown[]> {
  const { workflows } = memory.reads;
  const bytes = await listBytes(workflows, new Query(path), {}, ({ json }) => [json.slice(0, -1), '}']);
  const rows = await listOf(
    workflows,
    ({ id }) => id,
    new Query(path),
    (row) => row,
  );
  return [JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes)), rows];
}

it.each(['/', '/?limit=2', '/?limit=2&after=b', '/?after=c', '/?limit=3'])('%s is the same as bytes', async (path) => {
  const [bytes, rows] = await bothOf(path);
  expect(bytes).toEqual(rows);
});
