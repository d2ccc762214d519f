import { describe, expect, it } from 'vitest';
import golden from '../fixtures/sprig-results.json';
import { TemplateError } from './go-template/template-error';
import { renderTemplate } from './render-template';

interface Golden {
  readonly template: string;
  readonly want?: string;
  readonly error?: string;
}
const cases: readonly Golden[] = golden.cases;

function resultOf(template: string): string {
  try {
    return renderTemplate(template, golden.data);
  } catch (error) {
    if (error instanceof TemplateError) return error.message;
    throw error;
  }
}

describe('as Sprig and today’s own functions answer', () => {
  it.each(cases)('$template', ({ template, want, error }) => expect(resultOf(template)).toBe(want ?? error));
});
