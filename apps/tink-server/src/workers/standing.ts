import { enrolmentDecider, formatMac } from '@tinkerbell/domain';
import { current, type EventStore } from '@tinkerbell/event-store';
import { streamOf } from '../commands/caller';
import type { ReadSide } from '../read-side';

/**
 * Why a worker may begin nothing new, though its credential is good: a later boot or another machine has enrolled in its place, or its
 * machine is not that of the hardware record any more. What it begins could be done to the disks of the wrong machine. `key`: its public
 * key; undefined, or one that the log does not know (it was restored from before): nothing can be said.
 */
export async function replacementOf(
  store: EventStore,
  reads: Pick<ReadSide, 'hardware'>,
  workerId: string,
  key: string | undefined,
): Promise<string | undefined> {
  if (key === undefined) return undefined;
  const { state } = await current(store, enrolmentDecider, streamOf('enrolment', workerId));
  if (state.publicKey === null || ![...state.used.values()].includes(key)) return undefined;
  const from = `the machine with MAC ${formatMac(state.mac)}`;
  if (state.publicKey !== key) return `worker ${workerId} has enrolled anew since, from ${from}`;
  const row = reads.hardware.get(workerId);
  if (!row) return `no hardware ${workerId} is registered`;
  if (row.hardware.network.interfaces.some(({ dhcp }) => dhcp.mac === state.mac)) return undefined;
  return `this worker runs on ${from}, which hardware ${workerId} no longer has`;
}
