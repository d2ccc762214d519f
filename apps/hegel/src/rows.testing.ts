import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { HardwareRecord, JsonObject } from '@tinkerbell/events';
import type { ReadModel } from '@tinkerbell/event-store';
import type { HardwareRow } from '@tinkerbell/projections';

interface PushedHardware {
  readonly id: string;
  /** The gRPC form of the record carries its metadata as a string. */
  readonly metadata?: string | JsonObject;
  readonly network: {
    readonly interfaces: readonly {
      readonly dhcp: { readonly mac?: string; readonly ip?: { readonly address: string } };
    }[];
  };
}

export const fixtures = join(__dirname, '../fixtures');

/** A hardware fixture as tink-server would have stored it, as far as hegel looks at it. */
export function hardwareRow(file: string): HardwareRow {
  const pushed = JSON.parse(readFileSync(join(fixtures, 'hardware', file), 'utf8')) as PushedHardware;
  const metadata =
    typeof pushed.metadata === 'string' ? (JSON.parse(pushed.metadata) as JsonObject) : (pushed.metadata ?? {});
  const at = '2026-01-01T00:00:00.000Z';
  const hardware = { ...pushed, version: 0, metadata } as unknown as HardwareRecord;
  return { id: pushed.id, hardware, createdAt: at, updatedAt: at, position: 1 };
}

/** A read model over rows in memory, with the lookups of the hardware projection. */
export class MemoryHardware implements ReadModel<HardwareRow> {
  private readonly rows = new Map<string, HardwareRow>();
  private readonly listeners = new Set<Parameters<ReadModel<HardwareRow>['onChange']>[0]>();

  constructor(...rows: readonly HardwareRow[]) {
    rows.forEach((row) => this.rows.set(row.id, row));
  }

  put(key: string, row: HardwareRow | undefined): void {
    if (row) this.rows.set(key, row);
    else this.rows.delete(key);
    this.listeners.forEach((listener) => listener([{ key, row }]));
  }

  get(key: string): HardwareRow | undefined {
    return this.rows.get(key);
  }

  find(lookup: string): HardwareRow | undefined {
    return this.findAll(lookup)[0];
  }

  findAll(lookup: string): readonly HardwareRow[] {
    return this.list().filter(({ hardware }) =>
      hardware.network.interfaces.some(({ dhcp }) =>
        [`ip:${dhcp.ip?.address ?? ''}`, `mac:${dhcp.mac}`].includes(lookup),
      ),
    );
  }

  list(): readonly HardwareRow[] {
    return [...this.rows.values()];
  }

  count(): number {
    return this.rows.size;
  }

  onChange(listener: Parameters<ReadModel<HardwareRow>['onChange']>[0]): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }
}
