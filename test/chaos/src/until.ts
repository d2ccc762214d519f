import { pause } from '@tinkerbell/messaging';

/** Asks again until the answer is true; throws when that takes longer than `ms`. An error counts as no. */
export async function until(what: string, ms: number, condition: () => Promise<boolean> | boolean): Promise<void> {
  const deadline = performance.now() + ms;
  let last = '';
  while (performance.now() < deadline) {
    try {
      if (await condition()) return;
    } catch (error) {
      last = `: ${error instanceof Error ? error.message : String(error)}`;
    }
    await pause(200);
  }
  throw new Error(`never within ${Math.round(ms / 1000)} s: ${what}${last}`);
}
