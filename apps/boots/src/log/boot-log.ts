import { type BootCommand, bootDecider, type BootState } from '@tinkerbell/domain';
import type { BootEvent } from '@tinkerbell/events';
import type { EventStore } from '@tinkerbell/event-store';
import { subjects } from '@tinkerbell/messaging';
import { StreamWriter } from './stream-writer';

type Writer = StreamWriter<BootCommand, BootState, BootEvent>;

/** Machines whose stream is kept in memory. */
const maxWriters = 10_000;
const maxArchs = 65_536;
/** A machine that loaded a program runs it within this time, or did not. */
const chainMs = 5 * 60_000;

/** The steps of every machine on its way up, one stream per MAC. */
export class BootLog {
  readonly #writers = new Map<string, Writer>();
  readonly #programs = new Map<string, { readonly file: string; readonly at: number }>();
  readonly #archs = new Map<string, number | null>();

  constructor(
    private readonly store: EventStore,
    private readonly clock: () => Date,
  ) {}

  /** Resolves when the step is stored. */
  async record(command: BootCommand): Promise<void> {
    await this.#writer(command.mac).submit(command);
    if (command.type === 'OfferNetboot') this.noteArch(command.mac, command.arch);
    if (command.type === 'RecordFileServed' && command.role === 'nbp') {
      this.#programs.set(command.mac, { file: command.file, at: this.clock().getTime() });
    }
    // The program has done its work: the next power-on begins anew.
    if (command.type === 'RecordScriptServed') this.#programs.delete(command.mac);
  }

  /** As of the last step stored, read from the log when this process has not seen the machine yet. */
  async stateOf(mac: string): Promise<BootState> {
    const writer = this.#writer(mac);
    await writer.submit();
    return writer.state;
  }

  /** Name of the boot program that went out to this machine last, while it can still be what is asking now; else ''. */
  programOf(mac: string): string {
    const served = this.#programs.get(mac);
    return served && this.clock().getTime() - served.at < chainMs ? served.file : '';
  }

  /** For a machine whose offer is not stored. */
  noteArch(mac: string, arch: number | null): void {
    this.#archs.delete(mac);
    const [oldest] = this.#archs.keys();
    if (oldest !== undefined && this.#archs.size >= maxArchs) this.#archs.delete(oldest);
    this.#archs.set(mac, arch);
  }

  /** Architecture by the machine's own word (RFC 4578 §2.1), null when it did not say. */
  archOf(mac: string): number | null {
    return this.#archs.get(mac) ?? null;
  }

  #writer(mac: string): Writer {
    const known = this.#writers.get(mac);
    if (known) {
      this.#writers.delete(mac);
      this.#writers.set(mac, known);
      return known;
    }
    if (this.#writers.size >= maxWriters) this.#forgetOne();
    const writer = new StreamWriter(this.store, bootDecider, subjects.stream('boot', mac), 'boots');
    this.#writers.set(mac, writer);
    return writer;
  }

  #forgetOne(): void {
    for (const [mac, writer] of this.#writers) {
      if (!writer.isIdle) continue;
      this.#writers.delete(mac);
      this.#programs.delete(mac);
      this.#archs.delete(mac);
      return;
    }
  }
}
