/** `at` + `seconds`, ISO 8601. Pure arithmetic on the instant that the command carries. */
export function addSeconds(at: string, seconds: number): string {
  if (at !== last.at || seconds !== last.seconds) {
    last = { at, seconds, sum: isoOf(Date.parse(at) + seconds * 1000) };
  }
  return last.sum;
}

/** Many leases are of one millisecond and one duration. */
let last = { at: '', seconds: NaN, sum: '' };

/** Whether instant `at` is before `limit`, both ISO 8601. */
export function isBefore(at: string, limit: string): boolean {
  return isUsual(at) && isUsual(limit) ? at < limit : Date.parse(at) < Date.parse(limit);
}

/** As `toISOString` writes it from the year 0 to 9999: the order of such texts is that of their times. */
function isUsual(at: string): boolean {
  return at.length === 24 && at.charCodeAt(23) === 90 && at.charCodeAt(19) === 46 && at.charCodeAt(10) === 84;
}

const dayMs = 86_400_000;
const mostDays = 64;
/** As `toISOString` begins them, by number. */
const days = new Map<number, string>();
const two = (n: number) => String(n).padStart(2, '0');
const minutes = Array.from({ length: 1440 }, (_, n) => `${two(Math.floor(n / 60))}:${two(n % 60)}:`);
const seconds = Array.from({ length: 60 }, (_, n) => `${two(n)}.`);
const milliseconds = Array.from({ length: 1000 }, (_, n) => `${String(n).padStart(3, '0')}Z`);

/** What `toISOString` says of these milliseconds, at a tenth of the price: many times are of a few days. */
export function isoOf(ms: number): string {
  const whole = Math.trunc(ms);
  const day = Math.floor(whole / dayMs);
  const rest = whole - day * dayMs;
  const time = `${minutes[Math.floor(rest / 60_000)]}${seconds[Math.floor(rest / 1000) % 60]}${milliseconds[rest % 1000]}`;
  return dayOf(day) + time;
}

function dayOf(day: number): string {
  const known = days.get(day);
  if (known !== undefined) return known;
  if (days.size >= mostDays) days.clear();
  const text = new Date(day * dayMs).toISOString().slice(0, -13);
  days.set(day, text);
  return text;
}
