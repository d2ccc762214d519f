import type { JsonObject } from '@tinkerbell/events';
import { isDeeper, maxOutputsBytes, maxOutputsDepth as maxDepth } from '@tinkerbell/messaging';
import type { SecretMask } from '../output/secret-mask';
import { errorText } from '../pace';
import type { WorkflowFolder } from './workflow-folder';

export type Outputs =
  | { readonly kind: 'outputs'; readonly outputs: JsonObject | undefined }
  /** Why what the action left cannot be taken, for its report. */
  | { readonly kind: 'unusable'; readonly why: string };

/** What the action left in `/workflow/outputs.json`. `mask` undefined: the action has secrets that are not known. */
export async function readOutputs(folder: WorkflowFolder, mask: SecretMask | undefined): Promise<Outputs> {
  try {
    const text = await folder.readOutputs(maxOutputsBytes);
    if (text === undefined) return { kind: 'outputs', outputs: undefined };
    return parse(text, mask);
  } catch (error) {
    return unusable(errorText(error));
  }
}

function parse(text: string, mask: SecretMask | undefined): Outputs {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    // Not the parser's words: they quote the text, in which a secret may be.
    return unusable('/workflow/outputs.json is not JSON');
  }
  if (!isObject(value)) return unusable('/workflow/outputs.json is not a JSON object');
  if (isDeeper(value, maxDepth)) return unusable(`/workflow/outputs.json is nested deeper than ${maxDepth}`);
  const bytes = Buffer.byteLength(JSON.stringify(value));
  if (bytes > maxOutputsBytes) {
    return unusable(`/workflow/outputs.json has ${bytes} bytes as JSON, more than the ${maxOutputsBytes} allowed`);
  }
  if (!mask) return unusable('/workflow/outputs.json cannot be checked for secrets, their values are not to be had');
  if (stringsOf(value).some((each) => mask.finds(each))) {
    return unusable('/workflow/outputs.json holds the value of a secret, and outputs are kept in the log');
  }
  return { kind: 'outputs', outputs: value };
}

function unusable(why: string): Outputs {
  return { kind: 'unusable', why };
}

function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Keys, texts and numbers, each as itself. Only for values of a depth that was checked. */
function stringsOf(value: unknown): readonly string[] {
  if (typeof value !== 'object' || value === null) return [String(value)];
  if (Array.isArray(value)) return value.flatMap(stringsOf);
  return Object.entries(value).flatMap(([key, each]) => [key, ...stringsOf(each)]);
}
