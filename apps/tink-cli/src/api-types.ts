import type { ReadModelStatus } from '@tinkerbell/event-store';
import type { HardwareRecord, Json, PlannedAction } from '@tinkerbell/events';
import type { BootAttempt, FailedRequest, FieldChange, Holder, Tenure } from '@tinkerbell/history';
import type { EndedOne, MachineLine } from '@tinkerbell/messaging';
import type {
  DhcpServerRow,
  LeaseRow,
  MachineRow,
  PoolCounts,
  PoolRow,
  QueuePlace,
  WorkflowRow,
} from '@tinkerbell/projections';

export type { ForeignLease, ImportAnswer, SeenOne } from '@tinkerbell/messaging';

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

export interface TemplateVersionItem {
  readonly version: number;
  readonly name: string;
  readonly at: string;
  readonly actor: string;
  readonly bytes: number;
  readonly isCurrent: boolean;
}
export interface TemplateDiffItem {
  readonly from: number;
  readonly to: number;
  readonly name: { readonly from: string; readonly to: string };
  readonly unified: string;
}
/** A stored template, or a text. */
export interface TryTemplate {
  readonly template?: string;
  readonly data?: string;
  readonly hardware: unknown;
}
export interface PlanItem {
  readonly version: string;
  readonly name: string;
  readonly globalTimeoutSeconds: number;
  readonly machines: readonly { readonly device: string; readonly address: string; readonly workerId: string | null }[];
  readonly actions: readonly PlannedAction[];
}
export interface ReplayItem {
  readonly templateId: string;
  readonly differing: readonly {
    readonly workflowId: string;
    readonly createdAt: string;
    readonly templateVersion: number;
    readonly status: string;
    readonly changes: readonly {
      readonly action: string;
      readonly change: 'added' | 'removed' | 'changed' | 'moved';
      readonly field: string;
      readonly from: unknown;
      readonly to: unknown;
    }[];
    readonly refused: { readonly message: string } | null;
  }[];
  readonly same: number;
  readonly leftOut: number;
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
export type BootAttemptItem = BootAttempt;
export interface BootItem {
  readonly id: string;
  readonly hostname: string;
  readonly mac: string;
  readonly ip: string;
  /** What it holds; a server of before leaves it out. */
  readonly leases?: readonly Pick<LeaseItem, 'ip' | 'boundAt' | 'leaseSeconds' | 'expiresAt'>[];
  /** Newest first. */
  readonly attempts: readonly BootAttemptItem[];
  /** Newest first; a server of before leaves it out. */
  readonly failed?: readonly FailedRequest[];
}
export type TenureItem = Tenure;
export type HolderItem = Holder;
/** One lease with all that is known of it. */
export interface LeaseDetailItem extends LeaseRow {
  readonly giaddr: string | null;
  /** Option 82, hex. */
  readonly circuitId: string | null;
  readonly remoteId: string | null;
  readonly renewals: number;
  readonly lastEvent: { readonly type: string; readonly at: string; readonly text: string } | null;
  readonly at: string;
}
/** What was ended. */
export type EndedItem = EndedOne & { readonly leasePool: string; readonly dryRun: boolean };
/** Who serves a lease pool; null: of the past nobody can be asked. */
export interface ServiceItem {
  readonly active: DhcpServerRow['active'];
  readonly answers: boolean | null;
  readonly standbys: readonly string[] | null;
}
export type PoolItem = PoolRow & PoolCounts & { readonly service: ServiceItem };
export type DhcpServerItem = Omit<DhcpServerRow, 'active'> & ServiceItem;

/** Never its value. */
export interface SecretItem {
  readonly name: string;
  readonly version: number;
  readonly updatedAt: string;
  /** Who set it, e.g. `user:admin`. */
  readonly by: string;
}

export interface ReadModelItem extends ReadModelStatus {
  /** Commits of the log that are not in the rows yet; null when the server does not know. */
  readonly lag: number | null;
}

export interface LogItem {
  readonly workflowId: string;
  readonly index: number;
  readonly action: string;
  readonly task: string;
  readonly at: string;
  readonly stream: 'stdout' | 'stderr' | 'worker';
  readonly line: string;
}

/** A line that a machine sent by syslog. */
export interface MachineLogItem extends MachineLine {
  /** null: it had no hardware record. */
  readonly hardwareId: string | null;
  /** What the machine was at work on; null: nothing. */
  readonly workflowId: string | null;
}

/** Who did what: one commit of the log. */
export interface AuditItem {
  readonly position: number;
  readonly at: string;
  readonly actor: string;
  readonly aggregate: string;
  readonly id: string;
  /** Event types, in order. */
  readonly types: readonly string[];
  readonly commandId: string;
  readonly correlationId: string | null;
  readonly causationId: string | null;
}

export interface AuditKeyItem {
  readonly keyId: string;
  /** PEM. */
  readonly publicKey: string;
  /** Of a site that the log was restored from. */
  readonly former: boolean;
}

export interface Written {
  readonly id: string;
  readonly position: number;
}

export interface PushedHardware extends Written {
  /** False: it was known so before. */
  readonly changed: boolean;
  readonly created: boolean;
  /** Of a record that took the place of another. */
  readonly fields: readonly FieldChange[];
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
/** Who is told of which public events. */
export interface SubscriptionItem {
  readonly name: string;
  readonly filters: readonly string[];
  readonly webhook: { readonly url: string } | null;
  readonly status: 'active' | 'disabled';
  readonly reason: string;
  readonly start: string;
  readonly deadLetters: number;
  readonly createdAt: string;
  readonly updatedAt: string;
}
export interface SubscriptionRequest {
  readonly filters: readonly string[];
  readonly start?: string;
  readonly webhook?: { readonly url: string; readonly secret?: string };
}
export interface SubscriptionWritten {
  readonly name: string;
  readonly position: number;
  readonly changed: boolean;
  /** Told once. */
  readonly secret?: string;
}
export interface DeadLetterItem {
  readonly eventId: string;
  readonly eventType: string;
  readonly attempts: number;
  readonly status: number | null;
  readonly reason: string;
  readonly at: string;
}
export interface RedeliveredItem {
  readonly eventId: string;
  readonly ok: boolean;
  readonly status: number | null;
  readonly reason: string;
}
/** CloudEvents 1.0, structured mode. */
export interface CloudEventItem {
  readonly id: string;
  readonly [attribute: string]: unknown;
}
