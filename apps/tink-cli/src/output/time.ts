import { duration, timeUnits } from '@tinkerbell/history';

export { duration, took } from '@tinkerbell/history';

/** `5m ago`, `in 2h`, `now`. The text itself when it is not a time. */
export function relative(iso: string, now: number): string {
  const at = Date.parse(iso);
  if (Number.isNaN(at)) return iso;
  const seconds = (now - at) / 1000;
  if (Math.abs(seconds) < 1) return 'now';
  return seconds > 0 ? `${duration(seconds)} ago` : `in ${duration(-seconds)}`;
}

/** Time of day, local; with the date when that is not today's. */
export function clock(iso: string, now: number): string {
  const at = new Date(iso);
  if (Number.isNaN(at.getTime())) return iso;
  const time = [at.getHours(), at.getMinutes(), at.getSeconds()].map(two).join(':');
  const today = new Date(now);
  const sameDay = at.toDateString() === today.toDateString();
  return sameDay ? time : `${at.getFullYear()}-${two(at.getMonth() + 1)}-${two(at.getDate())} ${time}`;
}

const two = (value: number) => String(value).padStart(2, '0');

/**
 * A point in time in the past: minutes (`15`), a duration (`30s`, `2h`, `3d`), an ISO 8601 time, or `all` for the beginning of the
 * log. Milliseconds since 1970; undefined when it is none of these.
 */
export function parsePast(text: string, now: number): number | undefined {
  if (text === 'all') return 0;
  const [, amount, unit] = /^(\d{1,9})(s|m|h|d)?$/.exec(text) ?? [];
  if (amount !== undefined) {
    const size = timeUnits.find(([name]) => name === (unit ?? 'm'))?.[1] ?? 60;
    return now - Number(amount) * size * 1000;
  }
  const at = /^\d{4}-\d\d-\d\d/.test(text) ? Date.parse(text) : NaN;
  return Number.isNaN(at) ? undefined : at;
}
