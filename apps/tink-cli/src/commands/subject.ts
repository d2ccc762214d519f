import { readBundle, MalformedBundleError, type Bundle } from '@tinkerbell/history';
import { ApiError } from '../api-errors';
import type { Subject } from '../api-types';
import { CommandError, exit, UsageError, type Context } from '../cli-command';
import { isUuid } from './ids';
import { reasonOf } from './read-document';

/** An id may be that of a workflow or of a machine, anything else is the name of a machine. Asks for the one, then for the other. */
export async function workflowOrMachine<T>(name: string, ask: (kind: Subject) => Promise<T>): Promise<T> {
  if (!isUuid(name)) return ask('machine');
  try {
    return await ask('workflow');
  } catch (error) {
    if (!isNotFound(error)) throw error;
    return await ask('machine').catch((other: unknown) => {
      if (!isNotFound(other)) throw other;
      const hint = [error, other].map(({ message }) => /did you mean .*/.exec(message)?.[0]).find((text) => text);
      throw new CommandError(`no workflow or machine ${name}${hint === undefined ? '' : `; ${hint}`}`, exit.notFound);
    });
  }
}

function isNotFound(error: unknown): error is ApiError {
  return error instanceof ApiError && error.status === 404;
}

/** The bundle in a file. Throws CommandError that names the file and the line. */
export async function bundleIn(context: Context, file: string): Promise<Bundle> {
  let text: string;
  try {
    text = await context.files.read(file);
  } catch (error) {
    throw new UsageError(`cannot read ${file}: ${reasonOf(error)}`);
  }
  return parseBundle(text, file);
}

export function parseBundle(text: string, name: string): Bundle {
  try {
    return readBundle(text);
  } catch (error) {
    if (error instanceof MalformedBundleError) throw new CommandError(`${name}: ${error.message}`);
    throw error;
  }
}
