import { Type } from '@sinclair/typebox';
import type { TemplateEvent } from '@tinkerbell/events';
import { type Entries, nothing, published } from '../entry';

const Template = Type.Object(
  { name: Type.String(), bytes: Type.Integer({ description: 'Size of the text, UTF-8.' }) },
  { description: 'Without the text, which may hold secrets: GET /api/templates/<id> has it.' },
);

const publicTemplate = ({ name, data }: { readonly name: string; readonly data: string }) => ({
  name,
  bytes: new TextEncoder().encode(data).length,
});

export const template = {
  TemplateCreated: published({
    name: 'created',
    summary: 'A template was created, or brought back after its deletion.',
    schema: Template,
    map: publicTemplate,
  }),
  TemplateUpdated: published({
    name: 'updated',
    summary: 'The name or the text of a template changed.',
    schema: Template,
    map: publicTemplate,
  }),
  TemplateDeleted: published({
    name: 'deleted',
    summary: 'A template was deleted.',
    schema: nothing,
    map: () => ({}),
  }),
} satisfies Entries<TemplateEvent>;
