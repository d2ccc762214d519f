import { InvalidDocumentError } from '@tinkerbell/domain';
import { execute } from './go-template/evaluator';
import type { TemplateFunctions } from './functions/function';
import { templateFunctions } from './functions/template-functions';
import { parse } from './go-template/parser';
import { FunctionError, valueOf } from './go-template/values';
import { maxTemplateBytes } from './limits';

export interface RenderOptions {
  /** The hardware of the first device, reachable as `.Hardware`, when the data has no such key of its own. */
  readonly hardware?: unknown;
  /** In place of `templateFunctions`. */
  readonly functions?: TemplateFunctions;
}

/**
 * Fills a template with data as Go's text/template does with `missingkey=error`. Throws TemplateError, with the message of Go's engine
 * and the place in the text. A template can neither reach outside its data nor run or write without end.
 */
export function renderTemplate(
  text: string,
  data: Readonly<Record<string, unknown>>,
  options: RenderOptions = {},
): string {
  const { hardware, functions = templateFunctions } = options;
  refuseOversized(text);
  const nodes = parse(text, functions);
  return execute(nodes, dataOf(hardware === undefined ? data : { Hardware: hardware, ...data }), text, functions);
}

function dataOf(data: unknown): ReturnType<typeof valueOf> {
  try {
    return valueOf(data);
  } catch (error) {
    if (!(error instanceof FunctionError)) throw error;
    throw new InvalidDocumentError('template data', [{ path: '', message: error.message }]);
  }
}

/** Throws when the text has more than maxTemplateBytes. */
export function refuseOversized(text: string): void {
  const bytes = new TextEncoder().encode(text).length;
  if (bytes <= maxTemplateBytes) return;
  throw new InvalidDocumentError('template', [
    { path: '', message: `template is ${bytes} bytes, more than ${maxTemplateBytes}` },
  ]);
}
