import {
  ConflictError,
  formatMac,
  hardwareConflict,
  hardwareConflicts,
  hardwareDecider,
  hardwareKeys,
  parseHardware,
  presentHardware,
  type HardwareCommand,
  type HardwareState,
} from '@tinkerbell/domain';
import type { HardwareEvent, HardwareRecord, Json } from '@tinkerbell/events';
import { handle, type EventStore, type Handled, type Prepare } from '@tinkerbell/event-store';
import { changedFields, type FieldChange } from '@tinkerbell/history';
import { Claims } from '../claims/claims';
import { metadataFor, streamOf, type Caller } from '../commands/caller';
import { Turns } from '../commands/turns';
import type { ReadSide } from '../read-side';

export interface Written extends Handled {
  readonly id: string;
}

export interface Pushed extends Written {
  /** True: no record had this id. */
  readonly created: boolean;
  /** What is another than in the record that it took the place of, each as users write it. */
  readonly fields: readonly FieldChange[];
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
      let before: HardwareRecord | undefined;
      const onReplace = (record: HardwareRecord | undefined) => (before = record);
      const wish = { hardware, ifPosition, onReplace };
      const handled = await this.write(id, { type: 'RegisterHardware', hardware }, 'push', caller, wish);
      return {
        id,
        ...handled,
        created: handled.changed && !before,
        fields: before ? differences(before, hardware) : [],
      };
    });
  }

  delete(id: string, caller: Caller): Promise<Written> {
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
    { hardware, ifPosition, onReplace }: Wish = {},
  ): Promise<Handled> {
    const metadata = metadataFor(caller, `hardware.${verb}:${id}`);
    const claimNew: Prepare<HardwareState> = async (state, head) => {
      if (ifPosition !== undefined && head.position !== ifPosition)
        throw changedMeanwhile(id, ifPosition, head.position);
      onReplace?.(state.status === 'registered' ? state.hardware : undefined);
      const had = new Set(keysOf(state).map(({ kind, value }) => `${kind} ${value}`));
      const wanted = (hardware ? hardwareKeys(hardware) : []).filter(({ kind, value }) => !had.has(`${kind} ${value}`));
      await this.claims.take(id, head, wanted, metadata);
    };
    const handled = await handle(this.store, hardwareDecider, streamOf('hardware', id), command, metadata, claimNew);
    await this.reads.settle(handled.position);
    return handled;
  }
}

interface Wish {
  readonly hardware?: HardwareRecord;
  readonly ifPosition?: number | undefined;
  /** Told of the record as it is, undefined for none, before it is replaced. */
  readonly onReplace?: (record: HardwareRecord | undefined) => void;
}

/** Both sides went through JSON as users see it: a member that is not shown is none. */
function differences(before: HardwareRecord, after: HardwareRecord): readonly FieldChange[] {
  const [from, to] = [before, after].map((record) => JSON.parse(JSON.stringify(presentHardware(record))) as Json);
  return changedFields(from, to);
}

function changedMeanwhile(id: string, expected: number, found: number): ConflictError {
  return new ConflictError(`hardware ${id} has changed: its position is ${found}, not ${expected}`, 'ifPosition');
}

function keysOf(state: HardwareState) {
  return state.status === 'registered' ? hardwareKeys(state.hardware) : [];
}
