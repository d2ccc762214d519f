import { InvalidDocumentError, type Fault } from '@tinkerbell/domain';
import { checkTemplate, convertTemplate, renderTemplate, templateSchemas, versionOf } from '@tinkerbell/template';

/** What can be done with a template's text without a server. Loaded only by the commands that do it. */
export interface Linted {
  readonly version: string;
  readonly faults: readonly Fault[];
}

export function lint(text: string): Linted {
  const { faults } = withFaults(() => checkTemplate(text));
  return { version: versionOf(text), faults };
}

/** A result, or the faults that are in the way of one. */
export interface Outcome<T> {
  readonly result: T | undefined;
  readonly faults: readonly Fault[];
}

export function convert(text: string): Outcome<string> {
  return withFaults(() => convertTemplate(text));
}

export function render(text: string, data: Readonly<Record<string, unknown>>): Outcome<string> {
  return withFaults(() => renderTemplate(text, data));
}

export function schemaOf(version: '0.1' | '1.0'): object {
  return templateSchemas[version];
}

function withFaults<T>(run: () => T): Outcome<T> {
  try {
    return { result: run(), faults: [] };
  } catch (error) {
    if (!(error instanceof InvalidDocumentError)) throw error;
    return { result: undefined, faults: error.faults };
  }
}
