import type { Catalogue, Event } from './event';

/** `data` is the template's text exactly as it was given, before rendering. */
export type TemplateCreated = Event<'TemplateCreated', 1, { name: string; data: string }>;
export type TemplateUpdated = Event<'TemplateUpdated', 1, { name: string; data: string }>;
export type TemplateDeleted = Event<'TemplateDeleted', 1, Record<string, never>>;

export type TemplateEvent = TemplateCreated | TemplateUpdated | TemplateDeleted;

export const templateCatalogue = {
  TemplateCreated: { version: 1 },
  TemplateUpdated: { version: 1 },
  TemplateDeleted: { version: 1 },
} satisfies Catalogue<TemplateEvent>;
