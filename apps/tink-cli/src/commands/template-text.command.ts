import { CommandError, define, exit, UsageError, type Context } from '../cli-command';
import { faultLines, type Source } from '../output/fault-text';
import { documentFlag, printDocument } from '../output/print';
import { count } from '@tinkerbell/history';
import { devicesOf } from './devices';
import { readDocument } from './read-document';
import { orFaults } from './refused-document';

export const templatePath = {
  kind: 'text',
  short: 'p',
  value: 'FILE',
  about: 'path to the template file',
  complete: 'file',
} as const;
export const oneFile = { usage: '[file]', min: 0, max: 1, complete: ['file'] } as const;
const missing = "requires the '--path' flag, or the template on standard input";

export const templateLint = define({
  name: 'template lint',
  summary: 'find everything that is wrong with a template',
  details: [
    'Says what is wrong and what to write instead, all of it at once, without asking the server.',
    'What only rendering shows ("tink template plan") is left open. Exit code 0 when nothing was found, 1 otherwise.',
  ].join('\n'),
  examples: [
    'tink template lint install.yaml',
    'cat install.yaml | tink template lint',
    'tink template lint *.yaml -o json',
  ],
  positionals: { usage: '[file]...', min: 0, max: Infinity, complete: ['file'] },
  flags: { path: templatePath, output: documentFlag },
  async run({ flags, positionals }, context) {
    const paths = [...positionals, ...(flags.path === undefined ? [] : [flags.path])];
    const sources: Source[] = [];
    for (const path of paths.length === 0 ? [undefined] : paths)
      sources.push(await readDocument(context, path, missing));
    const { lint } = await import('../template-texts');
    const found = sources.map((source) => ({ source, ...lint(source.text) }));
    const faulty = found.filter(({ faults }) => faults.length > 0);
    if (flags.output !== undefined) {
      const document = found.map(({ source, version, faults }) => ({
        file: source.name,
        version,
        valid: faults.length === 0,
        faults,
      }));
      await printDocument(context, flags.output === 'yaml' ? 'yaml' : 'json', document);
      return faulty.length > 0 ? exit.failure : exit.ok;
    }
    for (const { source, version, faults } of found) {
      if (faults.length === 0) context.out(`${source.name}: template ${version}, no faults`);
      for (const line of await faultLines(faults, source, context.screen)) context.err(line);
    }
    if (faulty.length === 0) return exit.ok;
    const total = faulty.reduce((sum, { faults }) => sum + faults.length, 0);
    throw new CommandError(`${count(total, 'fault')} in ${faulty.map(({ source }) => source.name).join(', ')}`);
  },
});

export const templateRender = define({
  name: 'template render',
  summary: 'fill a template in',
  details: [
    'With --hardware: as a workflow for these machines would be rendered. With --data: from a JSON object, without the server.',
    'The template is a file or standard input, or a saved one (--template).',
  ].join('\n'),
  examples: [
    `tink template render install.yaml -r '{"device_1":"52:54:00:12:34:56"}'`,
    `tink template render -t install -r '{"device_1":"192.0.2.20"}'`,
    `tink template render install.yaml --data '{"device_1":"x","hardware":{"disks":["/dev/sda"]}}'`,
  ],
  positionals: oneFile,
  flags: {
    path: templatePath,
    template: { kind: 'text', short: 't', value: 'ID', about: 'a saved template: id or name', complete: 'template' },
    hardware: { kind: 'text', short: 'r', value: 'JSON', about: 'device name to MAC or IP address' },
    data: { kind: 'text', value: 'JSON', about: 'data in place of machines; the server is not asked' },
  },
  async run({ flags, positionals }, context) {
    const path = fileOf(positionals, flags.path);
    if (flags.data !== undefined) {
      if (flags.template !== undefined) throw new UsageError('--data works on a text: name its file');
      const source = await readDocument(context, path, missing);
      const { render } = await import('../template-texts');
      context.out((await orLocalFaults(context, source, render(source.text, dataOf(flags.data)))).replace(/\n$/, ''));
      return exit.ok;
    }
    if (flags.hardware === undefined) throw new UsageError('--hardware (-r) or --data is required');
    const { source, tried } = await triedTemplate(context, { ...flags, path });
    const ask = () => context.client.renderTemplate({ ...tried, hardware: devicesOf(flags.hardware ?? '') });
    const { text } = await (source ? orFaults(context, source, ask) : ask());
    context.out(text.replace(/\n$/, ''));
    return exit.ok;
  },
});

export const templateConvert = define({
  name: 'template convert',
  summary: 'turn a template 0.1 into one of version 1.0',
  details: 'Prints a template that comes to the same actions. Comments and {{ }} stay. The server is not asked.',
  examples: [
    'tink template convert install.yaml > install-1.0.yaml',
    'tink template get install | tink template convert',
  ],
  positionals: oneFile,
  flags: { path: templatePath },
  async run({ flags, positionals }, context) {
    const source = await readDocument(context, fileOf(positionals, flags.path), missing);
    const { convert } = await import('../template-texts');
    context.out((await orLocalFaults(context, source, convert(source.text))).replace(/\n$/, ''));
    return exit.ok;
  },
});

export const templateSchema = define({
  name: 'template schema',
  summary: 'print the JSON Schema of templates, for editors',
  details: 'The server has it at /schemas/template-1.0.json, for: # yaml-language-server: $schema=URL',
  examples: ['tink template schema > template-1.0.json', 'tink template schema --version 0.1'],
  flags: {
    version: { kind: 'text', value: 'VERSION', choices: ['0.1', '1.0'], about: 'of the format (default 1.0)' },
  },
  async run({ flags }, context) {
    const { schemaOf } = await import('../template-texts');
    context.out(JSON.stringify(schemaOf(flags.version === '0.1' ? '0.1' : '1.0'), null, 2));
    return exit.ok;
  },
});

/** A file is named by --path, as the original has it, or just so. */
export function fileOf([file]: readonly string[], path: string | undefined): string | undefined {
  if (file !== undefined && path !== undefined) throw new UsageError('either a file or --path, not both');
  return file ?? path;
}

/** A saved template by --template, else the text of --path or standard input. A --template that ends in .yaml or .yml is a file. */
export async function triedTemplate(
  context: Context,
  { template, path }: { readonly template: string | undefined; readonly path: string | undefined },
): Promise<{
  readonly source: Source | undefined;
  readonly tried: { readonly template?: string; readonly data?: string };
}> {
  if (template !== undefined && path !== undefined) throw new UsageError('either --template or a file, not both');
  const file = template !== undefined && /\.ya?ml$/.test(template) ? template : path;
  if (template !== undefined && file === undefined) return { source: undefined, tried: { template } };
  const source = await readDocument(
    context,
    file,
    "requires '--template', '--path', or the template on standard input",
  );
  return { source, tried: { data: source.text } };
}

async function orLocalFaults(
  context: Context,
  source: Source,
  { result, faults }: { readonly result: string | undefined; readonly faults: Parameters<typeof faultLines>[0] },
): Promise<string> {
  if (result !== undefined) return result;
  for (const line of await faultLines(faults, source, context.screen)) context.err(line);
  throw new CommandError(`${source.name} was refused: ${count(faults.length, 'fault')}`);
}

function dataOf(text: string): Readonly<Record<string, unknown>> {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw new UsageError(`--data is not JSON: ${text}`);
  }
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return { ...value };
  throw new UsageError('--data is a JSON object');
}
