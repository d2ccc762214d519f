interface Placed {
  readonly position: number;
  readonly at: string;
}

/**
 * Position of the last commit that was stored at or before `time` (milliseconds since 1970); 0 when the log begins later. `next`: the
 * first commit at or after a position. A binary search: it takes for granted that the store's clock does not go back.
 */
export async function searchPosition(
  time: number,
  last: number,
  next: (position: number) => Promise<Placed | undefined>,
): Promise<number> {
  let early = 0;
  let late = last + 1;
  while (late - early > 1) {
    const middle = Math.floor((early + late) / 2);
    const found = await next(middle);
    // Nothing in between: what lies at `late` is known to be later.
    if (found === undefined || found.position >= late || Date.parse(found.at) > time) late = middle;
    else early = found.position;
  }
  return early;
}
