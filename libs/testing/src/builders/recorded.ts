import type { Aggregate, Event, Recorded } from '@tinkerbell/events';

/** Events as the store hands them out: one commit each, positions from `first` up, a second apart from 2026-01-01T00:00:00Z. */
export function recorded<E extends Event>(
  aggregate: Aggregate,
  aggregateId: string,
  events: readonly E[],
  first = 1,
): readonly Recorded<E>[] {
  return events.map((event, i) => {
    const position = first + i;
    return {
      stream: `tink.ev.default.${aggregate}.${aggregateId}`,
      aggregate,
      aggregateId,
      position,
      version: i + 1,
      index: 0,
      at: new Date(Date.UTC(2026, 0, 1) + position * 1000).toISOString(),
      event,
      metadata: { id: `command-${position}`, actor: 'user:test' },
    };
  });
}
