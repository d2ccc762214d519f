import { hardwareConflicts, hardwareDecider, parseHardware } from '@tinkerbell/domain';
import { handle, type EventStore, type Handled } from '@tinkerbell/event-store';
import { metadataFor, streamOf, type Caller } from '../commands/caller';
import { Turns } from '../commands/turns';
import type { ReadSide } from '../read-side';

export interface Pushed extends Handled {
  readonly id: string;
}

/**
 * Writes hardware. MAC and IP addresses are unique over all records, which no single stream can guard: pushes and deletions take
 * turns, and each first waits until everything in the log is readable.
 */
export class HardwareCommands {
  private readonly turns = new Turns();

  constructor(
    private readonly store: EventStore,
    private readonly reads: ReadSide,
  ) {}

  /** Upsert. `document`: hardware JSON as users write it. Throws InvalidDocumentError or ConflictError. */
  push(document: unknown, caller: Caller): Promise<Pushed> {
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
      return { id, ...(await this.write(id, { type: 'RegisterHardware', hardware }, 'push', caller)) };
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
    command: Parameters<typeof hardwareDecider.decide>[0],
    verb: string,
    caller: Caller,
  ): Promise<Handled> {
    const metadata = metadataFor(caller, `hardware.${verb}:${id}`);
    const handled = await handle(this.store, hardwareDecider, streamOf('hardware', id), command, metadata);
    await this.reads.settle(handled.position);
    return handled;
  }
}
