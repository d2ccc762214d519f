/** google.protobuf.Timestamp as proto-loader reads and writes it. */
export interface Timestamp {
  readonly seconds: number;
  readonly nanos: number;
}

/** ISO 8601 → Timestamp; null stays unset on the wire. */
export function toTimestamp(iso: string | null): Timestamp | null {
  if (iso === null) return null;
  const milliseconds = Date.parse(iso);
  const seconds = Math.floor(milliseconds / 1000);
  return { seconds, nanos: (milliseconds - seconds * 1000) * 1_000_000 };
}

/** Milliseconds since 1970. */
export function fromTimestamp({ seconds, nanos }: Timestamp): number {
  return Number(seconds) * 1000 + Math.floor(nanos / 1_000_000);
}
