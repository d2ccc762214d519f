import { InvalidDocumentError } from '@tinkerbell/domain';
import { execute } from './go-template/evaluator';
import type { TemplateFunctions } from './functions/function';
import { templateFunctions } from './functions/template-functions';
import { parse } from './go-template/parser';
import { placeOf } from './go-template/template-error';
import { FunctionError, valueOf } from './go-template/values';
import { maxTemplateBytes } from './limits';
import type { TemplateVersion } from './template';
import type { Locate } from './yaml-reader';

export interface RenderOptions {
  /** The hardware of the first device, reachable as `.hardware` and `.Hardware`, when the data has no such key of its own. */
  readonly hardware?: unknown;
  /** What to say, behind Go's message, of a key that the data does not have. */
  readonly missing?: (key: string) => string;
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
  return renderWithOrigins(text, data, options).text;
}

/** What a template was rendered to, and where each character of it comes from. */
export interface Rendered {
  readonly text: string;
  readonly version: TemplateVersion;
  readonly locate: Locate;
}

export function renderWithOrigins(
  text: string,
  data: Readonly<Record<string, unknown>>,
  options: RenderOptions = {},
): Rendered {
  const { hardware, functions = templateFunctions, missing } = options;
  refuseOversized(text);
  const version = versionOf(text);
  const nodes = parse(text, functions, { keepsExpressions: version === '1.0' });
  const all = hardware === undefined ? data : { Hardware: hardware, hardware, ...data };
  const { output, sourceOf } = execute(nodes, dataOf(all), text, functions, missing);
  return { text: output, version, locate: (offset) => placeOf(text, sourceOf(offset)) };
}

/** The version has to be known before rendering: in 1.0 `${{ }}` is not Go's. */
export function versionOf(text: string): TemplateVersion {
  const value = '["\']?version["\']?[ \\t]*:[ \\t]*(["\']?)1\\.0\\1[ \\t]*';
  const isGraph = new RegExp(`^${value}(?:#.*)?$`, 'm').test(text) || new RegExp(`^\\s*\\{\\s*${value}[,}]`).test(text);
  return isGraph ? '1.0' : '0.1';
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
