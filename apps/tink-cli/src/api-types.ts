import type { HardwareRecord } from '@tinkerbell/events';
import type { LeaseRow, MachineRow, QueuePlace, WorkflowRow } from '@tinkerbell/projections';

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
export type WorkflowItem = Omit<WorkflowRow, 'position' | 'createdPosition'> & {
  readonly waiting: string | null;
  /** Where it stands in the queue of one of its machines; null when it is first. */
  readonly queue: QueuePlace | null;
};
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

/** `changed` false: it had been decided so before. */
export interface Decided extends Written {
  readonly changed: boolean;
}

export interface WorkerToken {
  readonly token: string;
  readonly expiresAt: string;
}

export interface Deleted {
  /** False: it had been deleted before. */
  readonly changed?: boolean;
}
