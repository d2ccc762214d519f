import { readFileSync, writeFileSync } from 'node:fs';
import { Parser } from '@asyncapi/parser';
import { expect, it } from 'vitest';
import { parse, stringify } from 'yaml';
import { asyncApiDocument } from './asyncapi';
import { publicTypes } from './table';

const file = 'docs/asyncapi.yaml';
const { version } = JSON.parse(readFileSync('package.json', 'utf8')) as { version: string };
const generated = `# Generated from libs/public-events: UPDATE_FIXTURES=1 npx vitest run --project unit libs/public-events
${stringify(asyncApiDocument(version), { lineWidth: 0, aliasDuplicateObjects: false })}`;

it('is written anew on request, and that run fails', () => {
  if (!process.env.UPDATE_FIXTURES) return;
  writeFileSync(file, generated);
  expect.fail(`wrote ${file}; run again without UPDATE_FIXTURES`);
});

it('in docs is that of the code: else UPDATE_FIXTURES=1 writes it', () =>
  expect(parse(readFileSync(file, 'utf8'))).toEqual(asyncApiDocument(version)));

it('is a valid AsyncAPI 3 document with a channel for every public event', { timeout: 60_000 }, async () => {
  const { document, diagnostics } = await new Parser().parse(readFileSync(file, 'utf8'));
  expect(
    diagnostics.filter(({ severity }) => severity <= 1).map(({ path, message }) => `${path.join('.')}: ${message}`),
  ).toEqual([]);
  expect(document?.version()).toBe('3.0.0');
  expect(document?.channels().length).toBe(publicTypes.length);
  const addresses = document
    ?.channels()
    .all()
    .map((channel) => channel.address());
  expect(addresses).toContain('tink.pub.{tenant}.workflow.action-succeeded.v1.{id}');
});
