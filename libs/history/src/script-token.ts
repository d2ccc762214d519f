import { tokenExpiry } from '@tinkerbell/domain';
import type { AnyEvent, BootEvent, BootScriptServed, Recorded } from '@tinkerbell/events';

/** Until when the one-time token of the script that these begin with is good; null: there is none. */
export function scriptTokenExpiry(events: readonly Recorded<AnyEvent>[]): string | null {
  const [script, ...after] = events.filter(
    (recorded): recorded is Recorded<BootEvent> =>
      recorded.aggregate === 'boot' && recorded.aggregateId === events[0]?.aggregateId,
  );
  return script && isScript(script) ? tokenExpiry(script, after) : null;
}

function isScript(recorded: Recorded<BootEvent>): recorded is Recorded<BootScriptServed> {
  return recorded.event.type === 'BootScriptServed';
}
