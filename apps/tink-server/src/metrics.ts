type Labels = Readonly<Record<string, string>>;

/** Counters and gauges in the text format of Prometheus 0.0.4. */
export class Metrics {
  private readonly counters = new Map<string, { readonly help: string; readonly values: Map<string, number> }>();
  private readonly gauges = new Map<string, { readonly help: string; readonly read: () => number }>();

  /** Adds one. Label values must come from a small set. */
  count(name: string, help: string, labels: Labels = {}): void {
    const counter = this.counters.get(name) ?? { help, values: new Map<string, number>() };
    this.counters.set(name, counter);
    const key = labelText(labels);
    counter.values.set(key, (counter.values.get(key) ?? 0) + 1);
  }

  gauge(name: string, help: string, read: () => number): void {
    this.gauges.set(name, { help, read });
  }

  text(): string {
    const lines: string[] = [];
    for (const [name, { help, values }] of this.counters) {
      lines.push(`# HELP ${name} ${help}`, `# TYPE ${name} counter`);
      for (const [labels, value] of values) lines.push(`${name}${labels} ${value}`);
    }
    for (const [name, { help, read }] of this.gauges) {
      lines.push(`# HELP ${name} ${help}`, `# TYPE ${name} gauge`, `${name} ${read()}`);
    }
    return `${lines.join('\n')}\n`;
  }
}

function labelText(labels: Labels): string {
  const pairs = Object.entries(labels).map(([name, value]) => `${name}="${value.replace(/[\\"\n]/g, escape)}"`);
  return pairs.length === 0 ? '' : `{${pairs.join(',')}}`;
}

function escape(char: string): string {
  return char === '\n' ? '\\n' : `\\${char}`;
}
