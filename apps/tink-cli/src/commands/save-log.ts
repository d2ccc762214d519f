import { exit, type Context, type Flags, type NewFile } from '../cli-command';
import { documentFlag } from '../output/print';
import { printReport } from './audit-report';
import { checkLog, unreadable } from './log-source';

export const saveFlags = {
  file: { kind: 'text', value: 'FILE', required: true, about: 'where to; .gz packs it', complete: 'file' },
  force: { kind: 'switch', about: 'replace the file when it exists' },
  output: documentFlag,
} as const satisfies Flags;

interface Given {
  readonly file: string;
  readonly force: boolean;
  readonly output: string | undefined;
}

/** Writes what the server exports and checks it on the way. A file with findings is kept, as evidence, and ends with code 1. */
export async function saveLog(
  context: Context,
  { file, force, output }: Given,
  { bodies, secrets, what }: { readonly bodies: boolean; readonly secrets: boolean; readonly what: string },
): Promise<number> {
  let sink: NewFile;
  try {
    sink = await context.files.create(file, { replace: force });
  } catch (error) {
    throw unreadable(file, error);
  }
  try {
    const chunks = through(
      context.client.auditExport({ ...(bodies && { bodies: 1 }), ...(secrets && { secrets: 1 }) }),
      sink,
    );
    const progress = output === undefined ? `${what} to ${file}` : undefined;
    const checked = await checkLog(context, { chunks, keys: undefined, progress });
    await sink.finish();
    const code = await printReport(context, output, file, checked);
    if (code !== exit.ok) context.err(`the ${what} was written as the server has it; it cannot be restored`);
    return code;
  } catch (error) {
    await sink.discard();
    throw error;
  }
}

async function* through(chunks: AsyncIterable<Uint8Array>, sink: NewFile): AsyncGenerator<Uint8Array> {
  for await (const chunk of chunks) {
    await sink.write(chunk);
    yield chunk;
  }
}
