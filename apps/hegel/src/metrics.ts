/** Requests answered, in Prometheus' text format. */
export class RequestMetrics {
  private readonly counts = new Map<string, number>();
  private readonly seconds = new Map<string, number>();

  count(route: string, method: string, status: number, seconds: number): void {
    const labels = `code="${status}",method="${/^[A-Z]{1,10}$/.test(method) ? method : 'other'}",route="${route}"`;
    this.counts.set(labels, (this.counts.get(labels) ?? 0) + 1);
    this.seconds.set(labels, (this.seconds.get(labels) ?? 0) + seconds);
  }

  text(hardware: number): string {
    return [
      '# HELP hegel_http_requests_total Metadata requests answered.',
      '# TYPE hegel_http_requests_total counter',
      ...[...this.counts].map(([labels, count]) => `hegel_http_requests_total{${labels}} ${count}`),
      '# HELP hegel_http_request_seconds_total Time spent answering them.',
      '# TYPE hegel_http_request_seconds_total counter',
      ...[...this.seconds].map(([labels, sum]) => `hegel_http_request_seconds_total{${labels}} ${sum.toFixed(6)}`),
      '# HELP hegel_hardware Hardware records that can be asked for.',
      '# TYPE hegel_hardware gauge',
      `hegel_hardware ${hardware}`,
      '# HELP process_resident_memory_bytes Memory in use.',
      '# TYPE process_resident_memory_bytes gauge',
      `process_resident_memory_bytes ${process.memoryUsage.rss()}`,
      '',
    ].join('\n');
  }
}
