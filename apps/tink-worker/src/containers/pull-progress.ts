/** One line of the stream that answers a pull (Docker Engine API, "Create an image"; podman sends the same). */
interface PullEvent {
  readonly status?: string;
  readonly id?: string;
  readonly error?: string;
  readonly errorDetail?: { readonly message?: string };
  readonly progressDetail?: { readonly current?: number; readonly total?: number };
}

export class PullFailedError extends Error {
  override readonly name = 'PullFailedError';
}

const stepPercent = 10;

/**
 * Reads the progress of a pull: passes on what a person wants to see, which is not every byte count of every layer, and throws
 * PullFailedError for an error in the stream.
 */
export class PullProgress {
  private readonly layers = new Map<string, { current: number; total: number }>();
  private percent = 0;

  constructor(private readonly say: (line: string) => void) {}

  line(text: string): void {
    if (text.trim() === '') return;
    let event: PullEvent;
    try {
      event = JSON.parse(text) as PullEvent;
    } catch {
      return this.say(text);
    }
    const error = event.errorDetail?.message ?? event.error;
    if (error) throw new PullFailedError(error);
    const { status, id, progressDetail } = event;
    if (status === 'Downloading' && id)
      return this.download(id, progressDetail?.current ?? 0, progressDetail?.total ?? 0);
    if (status && /^(Pulling from|Digest:|Status:|Pull complete|Already exists)/.test(status)) {
      this.say(id ? `${id}: ${status}` : status);
    }
  }

  private download(id: string, current: number, total: number): void {
    if (total <= 0) return;
    this.layers.set(id, { current, total });
    const sum = [...this.layers.values()].reduce((a, b) => ({
      current: a.current + b.current,
      total: a.total + b.total,
    }));
    const percent = Math.floor((100 * sum.current) / sum.total / stepPercent) * stepPercent;
    if (percent <= this.percent) return;
    this.percent = percent;
    this.say(`downloading ${percent} % of ${(sum.total / 1e6).toFixed(1)} MB`);
  }
}
