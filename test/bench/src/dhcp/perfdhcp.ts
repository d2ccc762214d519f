import { quantile } from '../bench';
import { outputOf, type Wire } from './wire';

/** Milliseconds, of the messages that were answered. */
export interface Delays {
  readonly mean: number;
  readonly p50: number;
  readonly p99: number;
}

/** One run of perfdhcp, which stands for a relay with many clients behind it. */
export interface Exchanges {
  /** Four-way exchanges a second that were completed, until the last answer: perfdhcp's own figure counts the second that it waits too. */
  readonly rate: number;
  readonly sent: number;
  readonly completed: number;
  /** Share of the DISCOVERs that did not become a lease. */
  readonly dropped: number;
  /** From DISCOVER to OFFER, and from REQUEST to ACK. */
  readonly offer: Delays;
  readonly ack: Delays;
  /** Until perfdhcp had its last answer. */
  readonly seconds: number;
}

/** `rate` exchanges a second are begun; a late answer counts as long as it comes within a second. */
export function perfdhcp(
  wire: Wire,
  { rate, clients, seconds }: { readonly rate: number; readonly clients: number; readonly seconds: number },
): Promise<Exchanges> {
  return run(wire, ['-r', String(rate), '-R', String(clients), '-p', String(seconds), '-W', '1000000', '-d', '1']);
}

/** Of those for private use (RFC 3942). */
const privateOption = 224;
let runs = 0;
/**
 * perfdhcp counts its transactions from the same number each time. To a server that knows a message again, those of the next run would be
 * repetitions, which are answered without a new lease.
 */
const unlikeBefore = () => ['-o', `${privateOption},${(++runs).toString(16).padStart(8, '0')}`];

/** All of `clients` begin at the same instant and repeat, after one second, two, four …, until each has its lease. */
export function avalanche(wire: Wire, clients: number): Promise<Exchanges> {
  return run(wire, ['--scenario', 'avalanche', '-R', String(clients)]);
}

/** perfdhcp waits for ever for a client that is never answered. */
const patienceSeconds = '120';

/** It prints the mean only; with `-x t` when each message was sent and answered. */
async function run(wire: Wire, args: readonly string[]): Promise<Exchanges> {
  const command = [
    'timeout',
    '-s',
    'INT',
    patienceSeconds,
    'perfdhcp',
    '-4',
    '-l',
    'bc0',
    '-x',
    't',
    ...unlikeBefore(),
    ...args,
  ];
  return read(await outputOf(wire.client([...command, wire.address])));
}

/**
 * The fastest of `rates` that a server takes with less than one in a hundred dropped; by halving. One that it fails is tried once more: in a
 * trial of a few seconds something else can have had the machine.
 */
export async function highestRate(
  rates: readonly number[],
  measure: (rate: number) => Promise<Exchanges>,
): Promise<Exchanges | undefined> {
  let best: Exchanges | undefined;
  let [low, high] = [0, rates.length - 1];
  while (low <= high) {
    const middle = (low + high) >> 1;
    const rate = rates[middle] ?? 0;
    const first = await measure(rate);
    const run = hasPassed(first) ? first : await measure(rate);
    const passed = hasPassed(run);
    if (passed && run.rate > (best?.rate ?? 0)) best = run;
    if (passed) low = middle + 1;
    else high = middle - 1;
  }
  return best;
}

export const hasPassed = ({ dropped }: Exchanges): boolean => dropped < 0.01;

export function read(text: string): Exchanges {
  const part = (title: string) => text.slice(text.indexOf(`***${title}***`)).split('\n\n')[0] ?? '';
  const number = (of: string, label: string) => Number(new RegExp(`${label}: *([\\d.]+)`).exec(of)?.[1] ?? Number.NaN);
  const [offers, acks] = [part('Statistics for: DISCOVER-OFFER'), part('Statistics for: REQUEST-ACK')];
  const [sent, completed] = [number(offers, 'sent packets'), number(acks, 'received packets')];
  if (!Number.isFinite(sent) || !Number.isFinite(completed)) throw new Error(`perfdhcp said:\n${text}`);
  const [offered, acked] = ['DISCOVER-OFFER', 'REQUEST-ACK'].map((name) =>
    times(part(`Timestamps for packets: ${name}`)),
  );
  const seconds = (acked ?? []).reduce((last, [, received]) => Math.max(last, received), 0);
  return {
    ...{ rate: completed / seconds, sent, completed, dropped: 1 - completed / sent, seconds },
    ...{ offer: delays(offered ?? []), ack: delays(acked ?? []) },
  };
}

type Times = readonly (readonly [sent: number, received: number])[];

function times(text: string): Times {
  return Array.from(text.matchAll(/sent \/ received: ([\d.]+) \/ ([\d.]+)/g), ([, sent, received]) => [
    Number(sent),
    Number(received),
  ]);
}

function delays(of: Times): Delays {
  const each = of.map(([sent, received]) => (received - sent) * 1000);
  const mean = each.reduce((sum, one) => sum + one, 0) / each.length;
  return { mean, p50: quantile(each, 0.5), p99: quantile(each, 0.99) };
}
