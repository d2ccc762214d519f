import { UsageError, type Context } from '../cli-command';
import type { Source } from '../output/fault-text';

/** The document from a file, or from standard input when no file is named or it is `-`. */
export async function readDocument(context: Context, path: string | undefined, missing: string): Promise<Source> {
  if (path !== undefined && path !== '-') {
    try {
      return { name: path, text: await context.files.read(path) };
    } catch (error) {
      throw new UsageError(`cannot read ${path}: ${reasonOf(error)}`);
    }
  }
  const text = await context.input();
  if (text === undefined) throw new UsageError(missing);
  return { name: 'standard input', text };
}

export function reasonOf(error: unknown): string {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  if (code === 'ENOENT') return 'no such file';
  if (code === 'EACCES') return 'permission denied';
  if (code === 'EISDIR') return 'it is a folder';
  return error instanceof Error ? error.message : String(error);
}
