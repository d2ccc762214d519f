export interface BatchLimits<T> {
  readonly items: number;
  readonly bytes: number;
  /** How long to wait for one more before a batch is handed out, in milliseconds. */
  readonly lingerMs: number;
  /** After that long without any item an empty batch is handed out, in milliseconds. */
  readonly idleMs: number;
  readonly sizeOf: (item: T) => number;
}

const late = Symbol('late');

/** Groups what comes. Reads one item ahead and no more: a slow consumer holds the source back. Ends with the source. */
export async function* batches<T>(source: AsyncIterator<T>, limits: BatchLimits<T>): AsyncGenerator<readonly T[]> {
  let pending = ask(source);
  for (;;) {
    const batch: T[] = [];
    let bytes = 0;
    while (batch.length < limits.items && bytes < limits.bytes) {
      const result = await within(pending, batch.length === 0 ? limits.idleMs : limits.lingerMs);
      if (result === late) break;
      if (result.done) {
        if (batch.length > 0) yield batch;
        return;
      }
      pending = ask(source);
      batch.push(result.value);
      bytes += limits.sizeOf(result.value);
    }
    yield batch;
  }
}

function ask<T>(source: AsyncIterator<T>): Promise<IteratorResult<T, unknown>> {
  const next = source.next();
  // Whoever awaits it gets the error; when nobody does any more it is of no interest.
  next.catch(() => undefined);
  return next;
}

function within<R>(promise: Promise<R>, milliseconds: number): Promise<R | typeof late> {
  let timer: NodeJS.Timeout | undefined;
  const patience = new Promise<typeof late>((resolve) => {
    timer = setTimeout(() => resolve(late), milliseconds);
  });
  return Promise.race([promise, patience]).finally(() => clearTimeout(timer));
}
