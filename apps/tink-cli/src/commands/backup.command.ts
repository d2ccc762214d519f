import { define } from '../cli-command';
import { saveFlags, saveLog } from './save-log';

export const backup = define({
  name: 'backup',
  summary: 'write the log and the data of workflows to a file, for "tink restore"',
  details: [
    'Hardware, templates, workflows, leases and their whole history are made anew from it. Checked while it is written;',
    'the file appears when it is whole. Keys, certificates and images are not in it: docs/operations.md.',
  ].join('\n'),
  examples: [
    'tink backup --file tinkerbell.jsonl.gz',
    'tink backup --file /backup/$(date +%F).jsonl.gz --with-secrets',
  ],
  flags: {
    ...saveFlags,
    'with-secrets': {
      kind: 'switch',
      about: 'also the values of secrets, sealed; identity/secrets.key opens them',
    },
  },
  run: ({ flags }, context) =>
    saveLog(context, flags, { bodies: true, secrets: flags['with-secrets'], what: 'backup' }),
});

export const restore = define({
  name: 'restore',
  summary: 'make a new data folder for "tink up" from a backup',
  details: [
    'Checks the whole file first, and refuses one with findings and a folder that has a log. Positions, times, versions and',
    'hashes are as before; checkpoints of the old site stay good. The folder gets its whole log, or none.',
  ].join('\n'),
  examples: [
    'tink restore --file tinkerbell.jsonl.gz --data /var/lib/tinkerbell',
    'tink restore --file tinkerbell.jsonl.gz --data ./restored --key site.pem',
  ],
  flags: {
    file: { kind: 'text', value: 'FILE', required: true, about: 'the backup', complete: 'file' },
    data: { kind: 'text', value: 'FOLDER', required: true, about: 'the new data folder', complete: 'folder' },
    key: {
      kind: 'text',
      value: 'FILE',
      about: 'believe only signatures of the public keys in this PEM file ("tink audit key")',
      complete: 'file',
    },
    output: { kind: 'text', short: 'o', value: 'FORMAT', choices: ['json'], about: 'json: say what was done as JSON' },
  },
  run({ flags }, context) {
    const { file, data, key, output } = flags;
    const more = [...(key === undefined ? [] : ['--key', key]), ...(output === undefined ? [] : ['--json'])];
    return context.provisioner(['restore', '--file', file, '--data', data, ...more]);
  },
});
