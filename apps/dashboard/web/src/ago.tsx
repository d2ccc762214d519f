import { ago, moment } from './format';
import { useNow } from './live/use-live';

/** How long ago that was; the moment itself on hover. */
export function Ago({ at, className }: { readonly at: string; readonly className?: string }) {
  const now = useNow();
  return (
    <time className={className} dateTime={at} title={moment(at)}>
      {ago(at, now)}
    </time>
  );
}
