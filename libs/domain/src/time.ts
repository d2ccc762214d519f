/** `at` + `seconds`, ISO 8601. Pure arithmetic on the instant that the command carries. */
export function addSeconds(at: string, seconds: number): string {
  if (at !== last.at || seconds !== last.seconds) {
    last = { at, seconds, sum: new Date(Date.parse(at) + seconds * 1000).toISOString() };
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
