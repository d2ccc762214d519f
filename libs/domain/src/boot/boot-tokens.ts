import type { BootEvent, BootScriptServed, Recorded } from '@tinkerbell/events';
import { addSeconds, isBefore } from '../time';

export interface BootToken {
  /** SHA-256 of the one-time enrolment token, hex. */
  readonly tokenHash: string;
  readonly expiresAt: string;
  readonly hardwareId: string;
}

/** Good at the same time. */
const mostTokens = 16;
/** A machine that has shown nothing new for a day is no slow one. */
const mostSeconds = 86_400;

/** The tokens for a worker in what a boot stream says, oldest first. The sixteenth after it ends one that is still good. */
export function bootTokens(history: readonly Recorded<BootEvent>[]): readonly BootToken[] {
  const scripts = history.flatMap((recorded, i) => (isForWorker(recorded) ? [{ recorded, i }] : []));
  return scripts.flatMap(({ recorded, i }, nth) => {
    const { tokenHash, hardwareId } = recorded.event.data;
    const byTime = tokenExpiry(recorded, history.slice(i + 1, scripts[nth + 1]?.i));
    if (tokenHash === null || byTime === null || hardwareId === null) return [];
    const replacedAt = scripts[nth + mostTokens]?.recorded.at ?? byTime;
    return [{ tokenHash, expiresAt: isBefore(replacedAt, byTime) ? replacedAt : byTime, hardwareId }];
  });
}

/**
 * Until when the token of a script is good: its time counts from the last that the same boot showed of itself, a part of the in-memory OS
 * that went out whole or that OS coming up, so that no machine is too slow. `after`: what the machine's stream says after the script.
 */
export function tokenExpiry(
  { at, event: { data } }: Recorded<BootScriptServed>,
  after: readonly Recorded<BootEvent>[],
): string | null {
  if (data.expiresAt === null) return null;
  const next = after.findIndex(({ event: { type } }) => type === 'NetbootOffered' || type === 'BootScriptServed');
  const sameBoot = next === -1 ? after : after.slice(0, next);
  const up = sameBoot.find(({ event }) => event.type === 'OsieStarted');
  const seen = up ?? sameBoot.findLast(({ event }) => isPartOfOs(event));
  if (!seen) return data.expiresAt;
  const limit = addSeconds(at, mostSeconds);
  const last = isBefore(seen.at, limit) ? seen.at : limit;
  return addSeconds(data.expiresAt, (Date.parse(last) - Date.parse(at)) / 1000);
}

/** The token of a discovery is good for its report only. */
function isForWorker(recorded: Recorded<BootEvent>): recorded is Recorded<BootScriptServed> {
  const { type, data } = recorded.event;
  return type === 'BootScriptServed' && data.tokenHash !== null && data.script !== 'discovery';
}

function isPartOfOs({ type, data }: BootEvent): boolean {
  return type === 'BootFileServed' && data.role !== 'nbp' && data.role !== 'other';
}
