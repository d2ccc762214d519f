import { UsageError, type Context, type Flag } from '../cli-command';
import { parsePast } from '../output/time';

const places = 'a position of the log (812), a duration ago (30s, 10m, 2h, 3d) or an ISO time';
const shortly = 'a position of the log, a duration ago (30s, 10m, 2h, 3d) or an ISO time';

/** `--at`, for every command that shows how things are. */
export const atFlag = { kind: 'text', value: 'TIME', about: `as it was then: ${shortly}` } as const satisfies Flag;

/** A place in the log as the server takes it: a position or an ISO 8601 time. Throws UsageError naming the flag. */
export function placeOf(flag: string, text: string, now: number): string {
  if (/^\d+$/.test(text)) return text;
  const at = text === 'all' ? undefined : parsePast(text, now);
  if (at === undefined) throw new UsageError(`--${flag} does not understand ${JSON.stringify(text)}`, `use ${places}`);
  return new Date(at).toISOString();
}

/** The context of that moment: the client shows things as they were, and `now` is then. */
export async function asOf(context: Context, at: string | undefined): Promise<Context> {
  if (at === undefined) return context;
  const place = placeOf('at', at, context.now());
  const then = await timeOf(context, place);
  return { ...context, client: context.client.asOf(place), now: then === undefined ? context.now : () => then };
}

/** Milliseconds since 1970; of a position the time of its commit, undefined where the log has none. */
async function timeOf({ client, signal }: Context, place: string): Promise<number | undefined> {
  if (!/^\d+$/.test(place)) return Date.parse(place);
  if (Number(place) === 0) return undefined;
  for await (const { at } of client.events({ after: Number(place) - 1, limit: 1 }, signal)) return Date.parse(at);
  return undefined;
}
