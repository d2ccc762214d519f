import { InvalidDocumentError } from '@tinkerbell/domain';

/** The name that the original gives every template; it stands in the messages of Go's engine. */
export const templateName = 'workflow-template';

/** Where in a text: line and column from 1, and the byte in the line from 0, which is how Go's engine counts. */
export interface Place {
  readonly line: number;
  readonly column: number;
  readonly byte: number;
}

export function placeOf(text: string, offset: number): Place {
  const before = text.slice(0, offset);
  const lineStart = before.lastIndexOf('\n') + 1;
  const inLine = before.slice(lineStart);
  return {
    line: before.split('\n').length,
    column: Array.from(inLine).length + 1,
    byte: new TextEncoder().encode(inLine).length,
  };
}

/** A template that cannot be read or rendered. The message is the one of Go's text/template. */
export class TemplateError extends InvalidDocumentError {
  constructor(message: string, { line, column }: Place) {
    super('template', [{ path: '', message, line, column }], message);
  }
}

/** The template's text is not a template: `template: workflow-template:3: unexpected "}" in operand`. */
export function syntaxError(text: string, offset: number, message: string): TemplateError {
  const place = placeOf(text, offset);
  return new TemplateError(`template: ${templateName}:${place.line}: ${message}`, place);
}

/** Rendering failed at a node: `template: workflow-template:5:13: executing "workflow-template" at <.a>: …`. */
export function executionError(text: string, offset: number, context: string, message: string): TemplateError {
  const place = placeOf(text, offset);
  const at = `template: ${templateName}:${place.line}:${place.byte}: executing "${templateName}" at <${context}>`;
  return new TemplateError(`${at}: ${message}`, place);
}
