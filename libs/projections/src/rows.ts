import type { ActionStatus, WorkflowStatus } from '@tinkerbell/domain';
import type {
  BootFileRole,
  DhcpServerFound,
  FailureReason,
  HardwareRecord,
  JsonObject,
  LeaseHolder,
  PlannedAction,
  PoolTaken,
  PoolUtilisationCrossed,
} from '@tinkerbell/events';

interface Dated {
  readonly createdAt: string;
  readonly updatedAt: string;
  /** Position of the last event that touched the row. */
  readonly position: number;
}

/** Key: hardware id. Lookups: `mac:<aa-bb-…>`, `ip:<address>`. */
export interface HardwareRow extends Dated {
  readonly id: string;
  readonly hardware: HardwareRecord;
}

/** Key: template id. Lookup: `name:<name>`. */
export interface TemplateRow extends Dated {
  readonly id: string;
  readonly name: string;
  readonly data: string;
  /** Commit number. */
  readonly version: number;
}

export type { ActionStatus, WorkflowStatus };

export interface HandlerRow {
  readonly handler: 'on-failure' | 'on-timeout';
  readonly exitCode: number | null;
  readonly seconds: number;
  readonly message: string;
}

export interface ActionRow {
  readonly spec: PlannedAction;
  readonly status: ActionStatus;
  /** How often it was started. */
  readonly attempt: number;
  /** Not to be started again before; null: no further try is due. */
  readonly retryAt: string | null;
  readonly startedAt: string | null;
  readonly finishedAt: string | null;
  readonly seconds: number | null;
  readonly exitCode: number | null;
  readonly reason: FailureReason | null;
  /** What the worker said, or why a person or a condition decided so. */
  readonly message: string;
  readonly outputs: JsonObject;
  readonly handler: HandlerRow | null;
}

/** One report, in the order in which it was recorded: what `tink workflow events` shows. */
export interface WorkflowEventRow {
  readonly workerId: string;
  readonly task: string;
  readonly action: string;
  readonly index: number;
  readonly seconds: number;
  readonly message: string;
  readonly status: ActionStatus;
  readonly at: string;
  /** In the log. */
  readonly position: number;
}

export interface WorkflowDataRow {
  readonly version: number;
  readonly sha256: string;
  readonly size: number;
  readonly workerId: string;
  readonly task: string;
  readonly action: string;
  readonly at: string;
}

/**
 * Key: workflow id. Lookups: `worker:<hardware id>` for every worker in it, while it is not deleted `status:<status>` and
 * `template:<id>` and once it has ended `ended:<hardware id>`, then `deleted`. Until it has ended it stands in the queues `queue:<hardware id>` of its workers,
 * in the order of `workOrder`. A deleted workflow keeps its row with `deletedAt` (whether a machine may netboot still depends on it).
 */
export interface WorkflowRow extends Dated {
  readonly id: string;
  /** Of its first event: the order in which workflows were created. */
  readonly createdPosition: number;
  readonly templateId: string;
  readonly templateName: string;
  readonly templateVersion: number;
  readonly devices: Readonly<Record<string, string>>;
  readonly status: WorkflowStatus;
  readonly paused: boolean;
  /** It was asked to end and something of it still runs. */
  readonly cancelling: boolean;
  readonly cancelRequestedAt: string | null;
  /** It keeps its machines although nothing of it may have started yet. */
  readonly machinesTaken: boolean;
  /** The action that its machines were taken for, and since when its start is awaited. */
  readonly handedOut: { readonly index: number; readonly at: string } | null;
  /** The workflow that this one repeats. */
  readonly origin: { readonly workflowId: string; readonly from: number } | null;
  readonly globalTimeoutSeconds: number;
  readonly startedAt: string | null;
  readonly finishedAt: string | null;
  readonly deletedAt: string | null;
  /** Index of the action that is running, next or to blame; equals `actions.length` when all are done. */
  readonly current: number;
  /** The action that it ended with, when one is to blame. */
  readonly blame: number | null;
  readonly actions: readonly ActionRow[];
  readonly events: readonly WorkflowEventRow[];
  readonly data: readonly WorkflowDataRow[];
  /** What is late, newest last. */
  readonly delays: readonly {
    readonly cause: string;
    readonly workerId: string;
    readonly message: string;
    readonly at: string;
  }[];
  /** How many reports of workers were refused. */
  readonly refusedReports: number;
}

/** Key: its name. Says who set it and when, never what. */
export interface SecretRow extends Dated {
  readonly name: string;
  /** Counts the values that it had. */
  readonly version: number;
  /** Who set the last one, e.g. `user:admin`. */
  readonly by: string;
}

/** Key: MAC. Lookups: `ip:<address>`, `hardware:<id>`. */
export interface LeaseRow extends LeaseHolder {
  readonly hostname: string;
  /**
   * `conflict`: somebody who does not lease it answers on it. `ended`: an operator gave it free. A lease may run out before anybody
   * notices: see `expiresAt`.
   */
  readonly state: 'bound' | 'released' | 'expired' | 'ended' | 'declined' | 'conflict';
  readonly leaseSeconds: number;
  /** null: never leased, only found in use. */
  readonly boundAt: string | null;
  readonly expiresAt: string | null;
  /** Nobody is given it before; null: no reason to wait. */
  readonly quarantinedUntil: string | null;
  readonly updatedAt: string;
  readonly position: number;
}

/** Key: `<lease pool>/<pool>`. Which of its addresses are in use is for the leases to say. */
export interface PoolRow {
  readonly id: string;
  /** Of boots' setting BOOTS_POOL. */
  readonly leasePool: string;
  readonly pool: string;
  readonly subnet: string;
  /** `10.1.0.10-10.1.0.99`, both ends included. */
  readonly ranges: readonly string[];
  /** Addresses. */
  readonly size: number;
  readonly definedAt: string;
  /** When it last got fuller, or emptier, than 80, 90 or 100 per cent; null: it never did. */
  readonly crossed: (Omit<PoolUtilisationCrossed['data'], 'subnet' | 'pool'> & { readonly at: string }) | null;
  readonly position: number;
}

/** Key: lease pool. */
export interface DhcpServerRow {
  readonly leasePool: string;
  /** The boots that answers, by the last that took the pool; null: none ever did. */
  readonly active: (PoolTaken['data'] & { readonly since: string }) | null;
  /** Servers that are none of ours, the one that was told of last at the end. */
  readonly others: readonly (DhcpServerFound['data'] & { readonly firstSeenAt: string })[];
  readonly position: number;
}

export type BootStep = 'dhcp' | 'tftp' | 'http' | 'osie' | 'worker' | 'disk';
/** One entry of a machine's story. `detail` is for people. */
export interface BootStepRow {
  readonly step: BootStep;
  readonly at: string;
  readonly detail: string;
}

/**
 * Key: hardware id. Lookups: `mac:<aa-bb-…>`, `ip:<address>`, `name:<host name, lower case>`. What the dashboard shows of one machine; the steps are those since its
 * last power-on, oldest first.
 */
export interface MachineRow {
  readonly id: string;
  readonly hostname: string;
  readonly mac: string;
  /** The IPv4 one, else the IPv6 one. */
  readonly ip: string;
  /** The IPv6 one of a machine that has both. */
  readonly ip6: string;
  readonly step: BootStep | 'off';
  readonly steps: readonly BootStepRow[];
  readonly bootFiles: readonly { readonly role: BootFileRole; readonly file: string; readonly bytes: number }[];
  readonly registered: boolean;
  readonly updatedAt: string;
  readonly position: number;
}
