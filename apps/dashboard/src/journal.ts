export interface Entry<T> {
  readonly id: string;
  readonly value: T;
}

/** The newest `capacity` entries, so that a reader who was away for a moment can go on where it was. */
export class Journal<T> {
  private readonly entries: Entry<T>[] = [];
  private last = 0;

  /** `epoch` tells this journal from one of an earlier process; it must not hold a dot. */
  constructor(
    private readonly epoch: string,
    private readonly capacity: number,
  ) {}

  append(value: T): Entry<T> {
    const entry = { id: `${this.epoch}.${++this.last}`, value };
    this.entries.push(entry);
    if (this.entries.length > this.capacity) this.entries.shift();
    return entry;
  }

  /** The id that a reader of everything so far has. */
  get lastId(): string {
    return `${this.epoch}.${this.last}`;
  }

  /** What came after `id`; undefined: that cannot be told any more, the reader has to begin anew. */
  since(id: string): readonly Entry<T>[] | undefined {
    const [epoch, text = ''] = id.split('.');
    const number = Number(text);
    if (epoch !== this.epoch || !/^\d+$/.test(text) || number > this.last) return undefined;
    const missed = this.last - number;
    if (missed > this.entries.length) return undefined;
    return missed === 0 ? [] : this.entries.slice(-missed);
  }
}
