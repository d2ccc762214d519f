import { duration } from '../format';
import { useNow } from '../live/use-live';

interface ElapsedProps {
  readonly startedAt: string | null;
  readonly finishedAt: string | null;
  /** Measured by the worker; goes before the difference of the two times. */
  readonly seconds?: number | null;
  readonly running: boolean;
}

/** How long it took, or takes so far. */
export function Elapsed({ startedAt, finishedAt, seconds, running }: ElapsedProps) {
  if (running && startedAt !== null) return <Counting from={Date.parse(startedAt)} />;
  if (typeof seconds === 'number') return <>{duration(seconds)}</>;
  if (startedAt === null) return <span aria-label="not started">–</span>;
  return finishedAt === null ? <>–</> : <>{duration((Date.parse(finishedAt) - Date.parse(startedAt)) / 1000)}</>;
}

function Counting({ from }: { readonly from: number }) {
  const now = useNow();
  return <>{duration((now - from) / 1000, true)}</>;
}
