/** `at` + `seconds`, ISO 8601. Pure arithmetic on the instant that the command carries. */
export function addSeconds(at: string, seconds: number): string {
  return new Date(Date.parse(at) + seconds * 1000).toISOString();
}

/** Whether instant `at` is before `limit`, both ISO 8601. */
export function isBefore(at: string, limit: string): boolean {
  return Date.parse(at) < Date.parse(limit);
}
