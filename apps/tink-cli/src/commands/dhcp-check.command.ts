import { define } from '../cli-command';

export const dhcpCheck = define({
  name: 'dhcp check',
  summary: 'check a file of DHCP subnets, before boots reads it',
  details: [
    'The file is one for BOOTS_DHCP_FILE (docs/dhcp.md). Says everything that is wrong with its line, or what the file',
    'would do; exit code 0 when it is right. Asks no server: run it where the file is made, and before it is put in place.',
    '"-" is standard input.',
    'With -o json: file, valid, and of each fault file, line, column, path and message; line and column are null when the',
    'file cannot be read at all.',
  ].join('\n'),
  examples: [
    'tink dhcp check /etc/tinkerbell/dhcp.yaml',
    'tink dhcp check dhcp.yaml -o json',
    'make-dhcp | tink dhcp check -',
  ],
  positionals: { usage: '<file|->', min: 1, max: 1, complete: ['file'] },
  flags: { output: { kind: 'text', short: 'o', value: 'FORMAT', choices: ['json'], about: 'json' } },
  run: ({ positionals, flags }, context) =>
    context.provisioner(['dhcp-check', ...positionals, ...(flags.output === 'json' ? ['--json'] : [])]),
});
