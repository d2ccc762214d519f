import {
  ConflictError,
  formatMac,
  hardwareConflict,
  hardwareConflicts,
  hardwareDecider,
  hardwareKeys,
  parseHardware,
  type HardwareCommand,
  type HardwareState,
} from '@tinkerbell/domain';
import type { HardwareEvent, HardwareRecord } from '@tinkerbell/events';
import { handle, type EventStore, type Handled, type Prepare } from '@tinkerbell/event-store';
import { Claims } from '../claims/claims';
import { metadataFor, streamOf, type Caller } from '../commands/caller';
import { Turns } from '../commands/turns';
import type { ReadSide } from '../read-side';

export interface Pushed extends Handled {
  readonly id: string;
}

/**
 * Writes hardware. MAC and IP addresses are unique over all records, which no single stream can guard: what a record has not had so far
 * is claimed before it is written, so that of several servers one wins. Within one server pushes and deletions take turns, and each first
 * waits until everything in the log is readable: most conflicts show there.
 */
export class HardwareCommands {
  private readonly turns = new Turns();
  private readonly claims: Claims<HardwareCommand, HardwareState, HardwareEvent>;

  constructor(
    private readonly store: EventStore,
    private readonly reads: ReadSide,
  ) {
    this.claims = new Claims(store, {
      decider: hardwareDecider,
      fence: { type: 'FenceHardware' },
      stream: (id) => streamOf('hardware', id),
      has: (state, wanted) => keysOf(state).some(({ kind, value }) => kind === wanted.kind && value === wanted.value),
      conflict: ({ kind, value }, owner) =>
        kind === 'mac'
          ? hardwareConflict('MAC', formatMac(value), owner, 'mac')
          : hardwareConflict('IP', value, owner, 'ip'),
    });
  }

  /**
   * Upsert. `document`: hardware JSON as users write it; `ifPosition`: only while the record's last commit is that one. Throws
   * InvalidDocumentError or ConflictError.
   */
  push(document: unknown, caller: Caller, ifPosition?: number): Promise<Pushed> {
    return this.turns.run(async () => {
      const hardware = parseHardware(document);
      await this.reads.atLeast(await this.store.lastPosition());
      const { hardware: rows } = this.reads;
      const [conflict] = hardwareConflicts(
        hardware,
        (mac) => rows.find(`mac:${mac}`),
        (ip) => rows.find(`ip:${ip}`),
      );
      if (conflict) throw conflict;
      const { id } = hardware;
      const wish = { hardware, ifPosition };
      return { id, ...(await this.write(id, { type: 'RegisterHardware', hardware }, 'push', caller, wish)) };
    });
  }

  delete(id: string, caller: Caller): Promise<Pushed> {
    return this.turns.run(async () => ({
      id,
      ...(await this.write(id, { type: 'DeleteHardware', id }, 'delete', caller)),
    }));
  }

  private async write(
    id: string,
    command: HardwareCommand,
    verb: string,
    caller: Caller,
    { hardware, ifPosition }: { readonly hardware?: HardwareRecord; readonly ifPosition?: number | undefined } = {},
  ): Promise<Handled> {
    const metadata = metadataFor(caller, `hardware.${verb}:${id}`);
    const claimNew: Prepare<HardwareState> = async (state, head) => {
      if (ifPosition !== undefined && head.position !== ifPosition)
        throw changedMeanwhile(id, ifPosition, head.position);
      const had = new Set(keysOf(state).map(({ kind, value }) => `${kind} ${value}`));
      const wanted = (hardware ? hardwareKeys(hardware) : []).filter(({ kind, value }) => !had.has(`${kind} ${value}`));
      await this.claims.take(id, head, wanted, metadata);
    };
    const handled = await handle(this.store, hardwareDecider, streamOf('hardware', id), command, metadata, claimNew);
    await this.reads.settle(handled.position);
    return handled;
  }
}

function changedMeanwhile(id: string, expected: number, found: number): ConflictError {
  return new ConflictError(`hardware ${id} has changed: its position is ${found}, not ${expected}`, 'ifPosition');
}

function keysOf(state: HardwareState) {
  return state.status === 'registered' ? hardwareKeys(state.hardware) : [];
}
