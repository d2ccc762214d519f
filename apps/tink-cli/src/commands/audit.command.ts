import { define, exit, UsageError } from '../cli-command';
import { documentFlag, printDocument } from '../output/print';
import { keyNote, printReport } from './audit-report';
import { checkLog, trustedKeys, unreadable } from './log-source';
import { saveLog, saveFlags } from './save-log';

export const auditVerify = define({
  name: 'audit verify',
  summary: 'check that no commit of the log was removed, altered or reordered',
  details: [
    'Reads the whole log from the server, or an export or a backup from a file (packed or not), and checks on this side:',
    'that no position is missing, the hash chain of each aggregate, and the rolling hash against every signed checkpoint.',
    'Says of everything that it finds where it is. Exit code 0: nothing was found, 1: something was.',
    'With --since a position that an earlier run called signed: only what came after it is sent and checked. What stands up to',
    'there is believed as far as its checkpoint goes, so check the whole log now and then.',
  ].join('\n'),
  examples: [
    'tink audit verify',
    'tink audit verify --key site.pem -o json',
    'tink audit verify --file log.jsonl.gz --key site.pem',
    'tink audit verify --since 1200 --key site.pem',
  ],
  flags: {
    file: { kind: 'text', value: 'FILE', about: 'an export or a backup instead of the server', complete: 'file' },
    key: {
      kind: 'text',
      value: 'FILE',
      about: 'believe only signatures of the public keys in this PEM file ("tink audit key")',
      complete: 'file',
    },
    since: {
      kind: 'number',
      value: 'POSITION',
      about: 'only what comes after the checkpoint that covers the log up to exactly there',
    },
    output: documentFlag,
  },
  async run({ flags }, context) {
    const { since } = flags;
    if (since === 0) throw new UsageError('--since must be the position that a checkpoint covers, got 0');
    const keys = await trustedKeys(context, flags.key);
    const name = flags.file ?? 'the log of the server';
    const chunks =
      flags.file === undefined
        ? context.client.auditExport({ ...(since !== undefined && { since }) })
        : context.files.open(flags.file);
    const progress = flags.output === undefined ? 'checked' : undefined;
    try {
      const checked = await checkLog(context, { chunks, keys, since, progress });
      const code = await printReport(context, flags.output, name, checked);
      if (flags.file !== undefined && !keys) context.err(keyNote(checked.report.header));
      return code;
    } catch (error) {
      throw flags.file === undefined ? error : unreadable(flags.file, error);
    }
  },
});

export const auditKey = define({
  name: 'audit key',
  summary: 'print the public key that checkpoints of the log are signed with',
  details: [
    'PEM; the keys of sites that the log was restored from stand behind it. Keep it where nobody can change it who can',
    'change the log: "tink audit verify --key" checks with it.',
  ].join('\n'),
  examples: ['tink audit key > site.pem', 'tink audit key -o json'],
  flags: { output: documentFlag },
  async run({ flags }, context) {
    const keys = await context.client.auditKeys();
    if (flags.output === 'json' || flags.output === 'yaml') await printDocument(context, flags.output, keys);
    else for (const { publicKey } of keys) context.out(publicKey.trimEnd());
    return exit.ok;
  },
});

export const auditExport = define({
  name: 'audit export',
  summary: 'write the log to a file that can be checked anywhere',
  details: [
    'One commit a line, signed as a whole, checked while it is written. The file appears when it is whole.',
    'It holds everything that machines and users gave us: keep it as safe as the log.',
    '"tink backup" writes the same with what "tink restore" needs.',
  ].join('\n'),
  examples: ['tink audit export --file log.jsonl.gz'],
  flags: saveFlags,
  run: ({ flags }, context) => saveLog(context, flags, { bodies: false, secrets: false, what: 'export' }),
});
