import type { ReadModel } from '@tinkerbell/event-store';
import type { HardwareRow } from '@tinkerbell/projections';

/** Finds hardware by `metadata.instance.id`; kept up to date by the read model's changes until closed. */
export class InstanceIndex {
  private readonly byInstance = new Map<string, string>();
  private readonly instanceOf = new Map<string, string>();
  private readonly unsubscribe: () => void;

  constructor(private readonly hardware: ReadModel<HardwareRow>) {
    this.unsubscribe = hardware.onChange((changed) => changed.forEach(({ key, row }) => this.put(key, row)));
    hardware.list().forEach((row) => this.put(row.id, row));
  }

  find(instanceId: string): HardwareRow | undefined {
    const id = this.byInstance.get(instanceId);
    return id === undefined ? undefined : this.hardware.get(id);
  }

  close(): void {
    this.unsubscribe();
  }

  private put(key: string, row: HardwareRow | undefined): void {
    const before = this.instanceOf.get(key);
    if (before !== undefined && this.byInstance.get(before) === key) this.byInstance.delete(before);
    this.instanceOf.delete(key);
    const instance = row?.hardware.metadata['instance'];
    const id = instance && typeof instance === 'object' && 'id' in instance ? instance['id'] : undefined;
    if (typeof id !== 'string' || id === '') return;
    this.byInstance.set(id, key);
    this.instanceOf.set(key, id);
  }
}
