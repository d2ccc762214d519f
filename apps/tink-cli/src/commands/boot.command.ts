import { foreverSeconds } from '@tinkerbell/domain';
import type { AnyEvent, Recorded } from '@tinkerbell/events';
import { duration, tell, took } from '@tinkerbell/history';
import type { BootAttemptItem, BootItem } from '../api-types';
import { define, exit, type Context } from '../cli-command';
import { printDocument, showMac } from '../output/print';
import { paint, plain, type Color } from '../output/screen';
import { clock } from '../output/time';
import { followEvents } from '../story/follow';
import { machineFilter } from '../story/machine-filter';
import { asOf, atFlag } from './as-of';
import { toneColors } from './events.command';
import { isMac } from './ids';

const aggregates: readonly string[] = ['boot', 'lease', 'enrolment'];

/** What tink-server tells at a time. */
const mostAttempts = 1000;

export const bootShow = define({
  name: 'boot show',
  summary: 'show how a machine booted, step by step, and where it stopped',
  details: [
    'DHCP, TFTP, HTTP, in-memory OS, worker, own disk, each with the time since the attempt began; what usually follows and when,',
    'from the history of all machines; and where to look when it did not. What it was not served follows, with the cause;',
    'of a machine without a hardware record too, by its MAC. 00:00:00:00:00:00 has the packets that do not say whose they are.',
    'Leases are told before: that of an operating system is no boot.',
  ].join('\n'),
  examples: ['tink boot show node-1', 'tink boot show 52:54:00:12:34:56 --attempts 5', 'tink boot show node-1 --at 2h'],
  positionals: { usage: '<id|mac|ip|hostname>', min: 1, max: 1, complete: ['machine'] },
  flags: {
    attempts: {
      kind: 'number',
      short: 'n',
      value: 'N',
      about: 'the newest N attempts',
      default: 1,
      min: 1,
      max: mostAttempts,
    },
    at: atFlag,
    output: {
      kind: 'text',
      short: 'o',
      value: 'FORMAT',
      about: 'text, json or yaml (default text)',
      choices: ['text', 'json', 'yaml'],
    },
  },
  async run({ flags, positionals: [name = ''] }, present) {
    const context = await asOf(present, flags.at);
    const boots = await context.client.boots(name, flags.attempts);
    if (flags.output === 'json' || flags.output === 'yaml') await printDocument(context, flags.output, boots);
    else for (const line of told(context, boots)) context.out(line);
    return exit.ok;
  },
});

export const bootTail = define({
  name: 'boot tail',
  summary: 'follow machines as they boot, one line per step',
  details: [
    'Each line says how long after the step before of the same machine it came. Until Ctrl-C.',
    'A machine without a hardware record is named by its MAC.',
  ].join('\n'),
  examples: ['tink boot tail', 'tink boot tail node-1', 'tink boot tail 52:54:00:12:34:56 -o json'],
  positionals: { usage: '[id|mac|ip|hostname]', min: 0, max: 1, complete: ['machine'] },
  flags: {
    output: { kind: 'text', short: 'o', value: 'FORMAT', about: 'json: the events, one a line', choices: ['json'] },
  },
  async run({ flags, positionals: [name] }, context) {
    const isWanted = name === undefined ? () => true : await filterOf(context, name);
    const before = new Map<string, number>();
    if (flags.output === undefined) context.err(`waiting for ${name ?? 'machines'} to boot; Ctrl-C ends it`);
    for await (const recorded of followEvents(context, { since: new Date(context.now()).toISOString() })) {
      if (!aggregates.includes(recorded.aggregate) || !isWanted(recorded)) continue;
      if (flags.output === 'json') {
        context.out(JSON.stringify(recorded));
        continue;
      }
      const machine = machineOf(recorded);
      const [at, last] = [Date.parse(recorded.at), before.get(machine)];
      before.set(machine, at);
      const { text, tone } = tell(recorded, () => undefined);
      const after = last === undefined ? '' : `+${took((at - last) / 1000)}`;
      const head = `${paint(context.screen, 'dim', clock(recorded.at, context.now()))}  ${machine.padEnd(17)} ${after.padStart(7)}`;
      context.out(`${head}  ${paint(context.screen, toneColors[tone], plain(text))}`);
    }
    return exit.interrupted;
  },
});

async function filterOf(context: Context, name: string): Promise<(recorded: Recorded<AnyEvent>) => boolean> {
  // Whatever names a machine for `boot show` names it here. One that is known by its MAC alone need not have been heard of yet.
  const mac = showMac(isMac(name) ? name : (await context.client.boots(name, 1)).mac).toLowerCase();
  const [known] = await context.client.hardwareList({ mac });
  if (known) return machineFilter(known.hardware, []);
  return ({ event }) => 'mac' in event.data && event.data.mac !== null && showMac(event.data.mac).toLowerCase() === mac;
}

/** MAC of a boot or lease, the beginning of the id otherwise. */
function machineOf({ event, aggregateId }: Recorded<AnyEvent>): string {
  return 'mac' in event.data && event.data.mac !== null ? showMac(event.data.mac) : aggregateId.slice(0, 8);
}

function told(
  context: Context,
  { hostname, mac, ip, leases = [], attempts, failed = [] }: BootItem,
): readonly string[] {
  const name = [hostname, showMac(mac), ip].filter((part) => part !== '').join(' ');
  const ignored = failedLines(context, failed);
  if (attempts.length + leases.length + ignored.length === 0) return [`${name}: nothing was heard of it yet`];
  const held = leases.map((lease) => leaseLine(context, lease));
  const none = attempts.length === 0 ? ['it was not seen to boot from the network'] : [];
  return [
    name,
    ...held,
    ...none,
    ...attempts.flatMap((attempt) => ['', ...attemptLines(context, attempt)]),
    ...ignored,
  ];
}

function leaseLine({ now }: Context, lease: NonNullable<BootItem['leases']>[number]): string {
  const { ip, boundAt, leaseSeconds, expiresAt } = lease;
  const since = boundAt === null ? '' : ` since ${clock(boundAt, now())}`;
  const isForever = leaseSeconds === foreverSeconds || expiresAt === null;
  return `leases ${ip}${since}, ${isForever ? 'for good' : `until ${clock(expiresAt, now())}`}`;
}

function failedLines({ now }: Context, failed: NonNullable<BootItem['failed']>): readonly string[] {
  if (failed.length === 0) return [];
  const lines = failed.map(({ text, source, count, firstAt, lastAt }) => {
    const times = count === 1 ? '' : `, ${count} times since ${clock(firstAt, now())}`;
    return `  ${clock(lastAt, now())}  ${plain(text)}, from ${plain(source)}${times}`;
  });
  return ['', 'not served:', ...lines];
}

const colors: Readonly<Record<BootAttemptItem['outcome'], Color | undefined>> = {
  worker: 'green',
  disk: 'green',
  'own-script': 'green',
  'under-way': 'yellow',
  stopped: 'red',
  replaced: 'dim',
};

function attemptLines({ screen, now }: Context, attempt: BootAttemptItem): readonly string[] {
  const { startedAt, steps, troubles, verdict, outcome, next, hint } = attempt;
  const marks = [
    ...steps.map(({ seconds, step, detail }) => ({ seconds, line: `${step.padEnd(6)}  ${plain(detail)}` })),
    ...troubles.map(({ at, text }) => ({
      seconds: (Date.parse(at) - Date.parse(startedAt)) / 1000,
      line: paint(screen, 'red', `${''.padEnd(6)}  ${plain(text)}`),
    })),
  ].sort((a, b) => a.seconds - b.seconds);
  const usual =
    next === null
      ? []
      : [
          `  next: ${next.step}, usually ${took(next.usual.median)} after this step is reached; nine of ten within ` +
            `${took(next.usual.p90)} (${next.usual.count} times before)`,
        ];
  return [
    `${clock(startedAt, now())} (${duration((now() - Date.parse(startedAt)) / 1000)} ago): ${paint(screen, colors[outcome], plain(verdict))}`,
    ...marks.map(({ seconds, line }) => `  ${`+${took(seconds)}`.padStart(8)}  ${line}`),
    ...usual,
    ...(hint === null ? [] : [`  look at: ${plain(hint)}`]),
  ];
}
