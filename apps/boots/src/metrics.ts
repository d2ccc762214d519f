type Labels = Readonly<Record<string, string>>;

/** What boots counts, by name; the texts are Prometheus' HELP lines. */
const counters = {
  dhcp_requests_total: 'DHCP messages taken, by message type.',
  dhcp_replies_total: 'DHCP replies sent, by message type.',
  dhcp_dropped_total: 'DHCP messages not answered, by reason.',
  dhcp_options_left_out_total: 'Options that a DHCP client was not told for want of room in its message, by code.',
  dhcp6_requests_total: 'DHCPv6 messages taken, by message type.',
  dhcp6_replies_total: 'DHCPv6 replies sent, by message type.',
  dhcp6_dropped_total: 'DHCPv6 messages not answered, by reason.',
  dhcp_other_server_messages_total: 'Signs of other DHCP servers on the wire, by what they were seen by.',
  tftp_transfers_total: 'TFTP transfers ended, by result.',
  tftp_dropped_total: 'TFTP packets not answered, by reason.',
  http_requests_total: 'HTTP requests answered, by route and status.',
  http_refused_total: 'HTTP connections beyond a limit, by limit.',
  boot_files_total: 'Boot files that went out whole, by protocol and role.',
  boot_file_bytes_total: 'Their bytes.',
  failed_requests_unrecorded_total: 'Failed requests that were not kept as events, by protocol: too many.',
  dhcp_pool_exhausted_total: 'DHCP clients that no address was left for, by subnet.',
  dhcp_conflicts_total: 'Addresses that somebody answered on before they were offered, by method.',
  dhcp_probes_skipped_total: 'Addresses that were offered unasked: too many probes at once.',
  image_cache_total: 'Requests for files of other servers, by how they were met.',
  syslog_lines_total: 'Lines that machines sent by syslog and that were stored, by severity.',
  syslog_dropped_total: 'Lines that were not stored, by reason.',
} as const;

const gauges = {
  dhcp_pool_size: 'Addresses that a DHCP pool has.',
  dhcp_pool_used: 'Addresses of a DHCP pool that are leased.',
  dhcp_pool_quarantined: 'Addresses of a DHCP pool that somebody else was found on.',
  clock_offset_seconds:
    'By how much the clock of this machine was ahead of that of the log at the last take-over; 0: less than a second.',
  dhcp_file_ok: 'Whether what BOOTS_DHCP_FILE says now is in force; 0: it is wrong, and what was before goes on.',
  dhcp_file_applied_timestamp_seconds: 'When what is in force of it was read.',
} as const;

/** Seconds. */
const histograms = {
  dhcp_answer_seconds: 'From when a DHCP message was taken from its socket to when its reply left, stored and all.',
  dhcp6_answer_seconds: 'The same of DHCPv6.',
} as const;
const bounds = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1];

export type HistogramName = keyof typeof histograms;
/** For those who describe them all. */
export const metricNames = Object.keys({ ...counters, ...gauges, ...histograms });

export type CounterName = keyof typeof counters;
export type GaugeName = keyof typeof gauges;

function have<K, V>(map: Map<K, V>, key: K, make: () => V): V {
  const known = map.get(key);
  if (known !== undefined) return known;
  const made = make();
  map.set(key, made);
  return made;
}

type Name = CounterName | GaugeName;

interface Series {
  value: number;
}

const newMap = <K, V>(): Map<K, V> => new Map<K, V>();
const newSeries = (): Series => ({ value: 0 });

export class Metrics {
  /** By the text of their labels. */
  readonly #series = new Map<Name, Map<string, Series>>();
  /** Label → value → both as text. */
  readonly #pairs = new Map<string, Map<string, string>>();

  /** How many were within each bound and no lower one, the last beyond all, and the sum of all. */
  readonly #observed = new Map<HistogramName, { readonly within: number[]; sum: number }>();

  observe(name: HistogramName, seconds: number): void {
    let series = this.#observed.get(name);
    if (!series) this.#observed.set(name, (series = { within: bounds.map(() => 0).concat(0), sum: 0 }));
    let at = 0;
    while (at < bounds.length && seconds > (bounds[at] ?? 0)) at++;
    series.within[at] = (series.within[at] ?? 0) + 1;
    series.sum += seconds;
  }

  count(name: CounterName, labels: Labels, by = 1): void {
    this.#at(name, labels).value += by;
  }

  set(name: GaugeName, labels: Labels, value: number): void {
    this.#at(name, labels).value = value;
  }

  /** Of a series whose subject is no more. */
  drop(name: GaugeName, labels: Labels): void {
    this.#series.get(name)?.delete(this.#text(labels));
  }

  /** Of all series of a counter that carry these labels. */
  total(name: CounterName, labels: Labels = {}): number {
    const parts = Object.entries(labels).map(([key, value]) => `${key}=${JSON.stringify(value)}`);
    return [...(this.#series.get(name) ?? [])]
      .filter(([text]) => parts.every((part) => text.split(',').includes(part)))
      .reduce((sum, [, { value }]) => sum + value, 0);
  }

  #at(name: Name, labels: Labels): Series {
    return have(have(this.#series, name, newMap<string, Series>), this.#text(labels), newSeries);
  }

  #text(labels: Labels): string {
    let text = '';
    for (const key in labels) {
      const pair = this.#pair(key, labels[key] ?? '');
      text = text === '' ? pair : `${text},${pair}`;
    }
    return text;
  }

  /** Packets are counted: making the text and hashing it costs more than to look it up. */
  #pair(key: string, value: string): string {
    const pairs = have(this.#pairs, key, newMap<string, string>);
    const known = pairs.get(value);
    if (known !== undefined) return known;
    const pair = `${key}=${JSON.stringify(value)}`;
    pairs.set(value, pair);
    return pair;
  }

  #histogram(name: HistogramName): readonly string[] {
    const { within, sum } = this.#observed.get(name) ?? { within: [], sum: 0 };
    let count = 0;
    const buckets = [...bounds, '+Inf'].map((bound, i) => {
      count += within[i] ?? 0;
      return `boots_${name}_bucket{le="${bound}"} ${count}`;
    });
    return [...buckets, `boots_${name}_sum ${sum}`, `boots_${name}_count ${count}`];
  }

  /** Prometheus text format. */
  text(more: Readonly<Record<string, number>>): string {
    const kinds = { counter: counters, gauge: gauges };
    const lines = Object.entries(kinds).flatMap(([kind, names]) =>
      Object.entries(names).flatMap(([name, help]) => [
        `# HELP boots_${name} ${help}`,
        `# TYPE boots_${name} ${kind}`,
        ...[...(this.#series.get(name as Name) ?? [])].map(
          ([labels, { value }]) => `boots_${name}${labels === '' ? '' : `{${labels}}`} ${value}`,
        ),
      ]),
    );
    const times = Object.entries(histograms).flatMap(([name, help]) => [
      `# HELP boots_${name} ${help}`,
      `# TYPE boots_${name} histogram`,
      ...this.#histogram(name as HistogramName),
    ]);
    const extra = Object.entries(more).flatMap(([name, value]) => [
      `# TYPE boots_${name} gauge`,
      `boots_${name} ${value}`,
    ]);
    return [...lines, ...times, ...extra, ''].join('\n');
  }
}
