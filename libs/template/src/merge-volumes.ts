/** One volume for each host path; the action's replaces the task's, in its place. */
export function mergeVolumes(task: readonly string[], action: readonly string[]): readonly string[] {
  const bySource = new Map<string, string>();
  for (const volume of [...task, ...action]) bySource.set(volume.split(':')[0] ?? '', volume);
  return [...bySource.values()];
}
