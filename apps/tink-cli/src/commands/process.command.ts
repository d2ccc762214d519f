import { define, exit } from '../cli-command';
import { UnreachableError } from '../api-errors';
import { documentFlag, printDocument } from '../output/print';
import { version as ownVersion } from '../version';

export const version = define({
  name: 'version',
  summary: 'show the version of tink and of the server',
  examples: ['tink version', 'tink version --client', 'tink version -o json'],
  flags: { client: { kind: 'switch', about: 'do not ask the server' }, output: documentFlag },
  async run({ flags }, context) {
    let server: unknown;
    let failure: UnreachableError | undefined;
    try {
      if (!flags.client) server = await context.client.serverVersion(context.signal);
    } catch (error) {
      if (!(error instanceof UnreachableError)) throw error;
      failure = error;
    }
    if (flags.output === 'json' || flags.output === 'yaml') {
      await printDocument(context, flags.output, { tink: ownVersion, ...(server === undefined ? {} : { server }) });
    } else {
      context.out(`tink         ${ownVersion}`);
      if (server !== undefined) context.out(`tink-server  ${versionText(server)}`);
    }
    if (failure) throw failure;
    return exit.ok;
  },
});

export const up = define({
  name: 'up',
  summary: 'start the provisioner: all services in one process',
  details: 'Everything after "up" goes to the provisioner; "tink up --help" lists its flags. Ends with its exit code.',
  examples: ['tink up', 'tink up --ip 192.0.2.10 --data /var/lib/tinkerbell'],
  positionals: { usage: '[flags of the provisioner]', min: 0, max: Infinity },
  passThrough: true,
  flags: {},
  run: ({ positionals }, context) => context.provisioner(['up', ...positionals]),
});

function versionText(answer: unknown): string {
  if (typeof answer !== 'object' || answer === null) return String(answer);
  const entries = new Map<string, unknown>(Object.entries(answer));
  const found = entries.get('version') ?? entries.get('git_rev');
  return typeof found === 'string' ? found : JSON.stringify(answer);
}
