import type { HardwareRecord, Json } from '@tinkerbell/events';
import type { FieldChange } from '@tinkerbell/history';
import type { LeaseRow, MachineRow, WorkflowRow } from '@tinkerbell/projections';

/** What `/api` answers; docs/api.md. MAC addresses with colons. */
export interface HardwareItem {
  readonly hardware: HardwareRecord;
  readonly createdAt: string;
  readonly updatedAt: string;
  /** Of its last change in the log. */
  readonly position: number;
}

export interface TemplateItem {
  readonly id: string;
  readonly name: string;
  readonly data: string;
  readonly version: number;
  readonly createdAt: string;
  readonly updatedAt: string;
}

/** `waiting`: why nothing runs although it is not finished. */
export type WorkflowItem = Omit<WorkflowRow, 'position' | 'createdPosition'> & { readonly waiting: string | null };
export interface WorkflowDataItem {
  readonly version: number;
  readonly latest: number;
  /** As the originals name its members. */
  readonly metadata: unknown;
  /** JSON. */
  readonly text: string;
}
export type MachineItem = MachineRow;
export type LeaseItem = LeaseRow;

export interface LogItem {
  readonly workflowId: string;
  readonly index: number;
  readonly action: string;
  readonly task: string;
  readonly at: string;
  readonly stream: 'stdout' | 'stderr' | 'worker';
  readonly line: string;
}

export interface Written {
  readonly id: string;
  readonly position: number;
}

export interface WorkerToken {
  readonly token: string;
  readonly expiresAt: string;
}

export interface Deleted {
  /** False: it had been deleted before. */
  readonly changed?: boolean;
}

/** What an explanation or a bundle is about. */
export type Subject = 'machine' | 'workflow';

/** What became of a row between two moments. */
export type RowChange = {
  readonly kind: 'hardware' | 'template' | 'workflow' | 'machine' | 'lease';
  readonly id: string;
  readonly name: string;
} & (
  | { readonly change: 'appeared' | 'vanished'; readonly row: Json }
  | { readonly change: 'changed'; readonly fields: readonly FieldChange[] }
);
