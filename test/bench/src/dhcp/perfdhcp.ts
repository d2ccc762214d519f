import { outputOf, type Wire } from './wire';

/** One run of perfdhcp, which stands for a relay with many clients behind it. */
export interface Exchanges {
  /** Four-way exchanges a second that were completed. */
  readonly rate: number;
  readonly sent: number;
  readonly completed: number;
  /** Share of the DISCOVERs that did not become a lease. */
  readonly dropped: number;
  /** Milliseconds on average, from DISCOVER to OFFER and from REQUEST to ACK. */
  readonly offerMs: number;
  readonly ackMs: number;
  readonly text: string;
}

export async function perfdhcp(
  wire: Wire,
  { rate, clients, seconds }: { readonly rate: number; readonly clients: number; readonly seconds: number },
): Promise<Exchanges> {
  const args = [
    ...['-4', '-l', 'bc0', '-r', String(rate), '-R', String(clients), '-p', String(seconds)],
    // Late answers count as long as they come within a second.
    ...['-W', '1000000', '-d', '1'],
  ];
  return read(await outputOf(wire.client(['perfdhcp', ...args, wire.address])));
}

/** The fastest of `rates` that a server takes with less than one in a hundred dropped; by halving. */
export async function highestRate(
  rates: readonly number[],
  measure: (rate: number) => Promise<Exchanges>,
): Promise<Exchanges | undefined> {
  let best: Exchanges | undefined;
  let [low, high] = [0, rates.length - 1];
  while (low <= high) {
    const middle = (low + high) >> 1;
    const run = await measure(rates[middle] ?? 0);
    const passed = run.dropped < 0.01;
    if (passed && run.rate > (best?.rate ?? 0)) best = run;
    if (passed) low = middle + 1;
    else high = middle - 1;
  }
  return best;
}

function read(text: string): Exchanges {
  const part = (from: string) => text.slice(text.indexOf(`***Statistics for: ${from}***`));
  const number = (of: string, label: string) => Number(new RegExp(`${label}: *([\\d.]+)`).exec(of)?.[1] ?? Number.NaN);
  const [offers, acks] = [part('DISCOVER-OFFER'), part('REQUEST-ACK')];
  const [sent, completed] = [number(offers, 'sent packets'), number(acks, 'received packets')];
  if (!Number.isFinite(sent) || !Number.isFinite(completed)) throw new Error(`perfdhcp said:\n${text}`);
  return {
    ...{ rate: number(text, 'Rate'), sent, completed, dropped: 1 - completed / sent },
    ...{ offerMs: number(offers, 'avg delay'), ackMs: number(acks, 'avg delay'), text },
  };
}
