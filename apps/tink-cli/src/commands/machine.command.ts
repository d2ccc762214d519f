import type { MachineItem, MachineLogItem } from '../api-types';
import { define, exit, type Context } from '../cli-command';
import { outputFlag, printDocument, printListing, showMac, timeText, type Listing } from '../output/print';
import { colorOf, paint, plain } from '../output/screen';
import type { Column } from '../output/table';
import { clock } from '../output/time';
import { followMachineLogs } from '../story/follow-logs';
import { asOf, atFlag } from './as-of';
import { since } from './logs.command';
import { fieldColumns, type Field } from './hardware-views';

export const machineList = define({
  name: 'machine list',
  summary: 'list all machines with their newest step',
  details:
    'Steps of a machine on its way: dhcp, tftp, http, osie, worker, disk (it was told to boot that, or its system has phoned home);\noff before it was seen to boot from the network.',
  examples: ['tink machine list', 'tink machine list -o wide'],
  flags: { output: outputFlag, at: atFlag },
  async run({ flags }, present) {
    const context = await asOf(present, flags.at);
    const machines = await context.client.machines();
    await printListing(context, flags.output, machineListing(context, machines));
    return exit.ok;
  },
});

export const machineGet = define({
  name: 'machine get',
  summary: 'show one machine: what it did since it was powered on',
  examples: ['tink machine get node-1', 'tink machine get 52:54:00:12:34:56 -o json'],
  positionals: { usage: '<id|mac|ip|hostname>', min: 1, max: 1, complete: ['machine'] },
  flags: { output: outputFlag, at: atFlag },
  async run({ flags, positionals: [name = ''] }, present) {
    const context = await asOf(present, flags.at);
    const machine = await context.client.machine(name);
    const { output } = flags;
    if (output === 'json' || output === 'yaml') await printDocument(context, output, machine);
    else {
      await printListing(context, output, summary(context, machine, output === 'wide'));
      await printListing(context, output, steps(context, machine));
    }
    return exit.ok;
  },
});

export const machineLogs = define({
  name: 'machine logs',
  summary: 'show what a machine sent by syslog',
  details: [
    'Its firmware, kernel and in-memory OS, wherever they log to: boots takes syslog on UDP port 514 and names itself in DHCP option 7.',
    'Of a machine without a hardware record that has a lease of ours too, by its MAC. What actions print is shown by "tink logs".',
  ].join('\n'),
  examples: ['tink machine logs node-1 --follow', 'tink machine logs node-1 --since 10m -o json'],
  positionals: { usage: '<id|mac|ip|hostname>', min: 1, max: 1, complete: ['machine'] },
  flags: {
    follow: { kind: 'switch', short: 'f', about: 'go on with new lines as they come' },
    since: {
      kind: 'text',
      value: 'TIME',
      about: 'from then on: minutes (15), a duration (30s, 2h, 3d) or an ISO time',
    },
    output: {
      kind: 'text',
      short: 'o',
      value: 'FORMAT',
      about: 'text, or json: one object a line',
      choices: ['text', 'json'],
    },
  },
  async run({ flags, positionals: [name = ''] }, context) {
    const from = since(context, flags.since);
    const lines = flags.follow
      ? followMachineLogs(context, name, from)
      : context.client.machineLogs(name, { since: from }, context.signal);
    let any = false;
    for await (const line of lines) {
      any = true;
      context.out(flags.output === 'json' ? JSON.stringify(line) : syslogText(context, line));
    }
    if (!any && !context.signal.aborted)
      context.err(`boots took no syslog of ${name}${flags.since === undefined ? '' : ' since then'}`);
    return context.signal.aborted ? exit.interrupted : exit.ok;
  },
});

/** `12:00:01  warning  dhclient[412]: bound`. */
function syslogText({ screen, now }: Context, { at, severity, app, pid, line }: MachineLogItem): string {
  const severe = /^(emerg|alert|crit|err)$/.test(severity) ? 'red' : severity === 'warning' ? 'yellow' : undefined;
  const sender = app === '' ? '' : `${app}${pid === '' ? '' : `[${pid}]`}: `;
  const text = paint(screen, severe, plain(`${severity.padEnd(7)}  ${sender}${line}`));
  return `${paint(screen, 'dim', clock(at, now()))}  ${text}`;
}

function machineListing(context: Context, machines: readonly MachineItem[]): Listing<MachineItem> {
  const columns = (wide: boolean): readonly Column<MachineItem>[] => [
    { title: 'ID', text: ({ id }) => id, shrinksTo: 9, drops: 1 },
    { title: 'Hostname', text: ({ hostname }) => hostname, shrinksTo: 12 },
    { title: 'MAC Address', text: ({ mac }) => showMac(mac) },
    { title: 'IP Address', text: ({ ip }) => ip },
    { title: 'IPv6 Address', text: ({ ip6 }) => ip6, wideOnly: true },
    { title: 'Step', text: ({ step }) => step, color: ({ step }) => colorOf(step) },
    { title: 'Last', text: ({ steps }) => steps.at(-1)?.detail ?? '', shrinksTo: 12 },
    { title: 'Updated At', text: ({ updatedAt }) => timeText(context, wide)(updatedAt) },
    { title: 'Registered', text: ({ registered }) => (registered ? 'yes' : 'no'), wideOnly: true },
  ];
  return { rows: machines, columns, document: machines };
}

function summary(context: Context, machine: MachineItem, wide: boolean): Listing<Field> {
  const rows: readonly Field[] = [
    ['ID', machine.id],
    ['Hostname', machine.hostname],
    ['MAC Address', showMac(machine.mac)],
    ['IP Address', machine.ip],
    ...(machine.ip6 === '' ? [] : [['IPv6 Address', machine.ip6] as const]),
    ['Step', machine.step],
    ['Updated At', timeText(context, wide)(machine.updatedAt)],
  ];
  return { rows, columns: () => fieldColumns('Value'), document: machine };
}

function steps(context: Context, machine: MachineItem): Listing<MachineItem['steps'][number]> {
  const columns = (wide: boolean): readonly Column<MachineItem['steps'][number]>[] => [
    { title: 'Step', text: ({ step }) => step },
    { title: 'At', text: ({ at }) => timeText(context, wide)(at) },
    { title: 'Detail', text: ({ detail }) => detail, shrinksTo: 20 },
  ];
  return { rows: machine.steps, columns, document: machine.steps };
}
