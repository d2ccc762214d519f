import type { ActionSpec, FailureReason, JsonObject } from '@tinkerbell/events';

/**
 * What passes between a worker and tink-server; docs/worker-protocol.md tells the story. All bodies are JSON.
 * Reports go to `TINK_IN` with `Nats-Msg-Id` = reportId(...), so a repeated one is stored once; the engine's answer to a report
 * is nothing but the next assignment.
 */
export interface ReadyReport {
  readonly bootId: string;
  readonly workerVersion: string;
  readonly hostname: string;
  readonly kernel: string;
  readonly node: string;
  readonly engine: string;
  readonly cpus: number;
  readonly memoryBytes: number;
  readonly uptimeSeconds: number;
}

export interface StartedReport {
  readonly workflowId: string;
  readonly index: number;
  readonly attempt: number;
  readonly bootId: string;
  readonly startedAt: string;
}

export interface FinishedReport {
  readonly workflowId: string;
  readonly index: number;
  readonly attempt: number;
  /** `cancelled`: stopped because `state` said so. */
  readonly outcome: 'succeeded' | 'failed' | 'timed-out' | 'cancelled';
  readonly reason: FailureReason | null;
  readonly exitCode: number | null;
  readonly seconds: number;
  readonly finishedAt: string;
  /** For people; at most 200 characters are kept. */
  readonly message: string;
  /** The fencing token: a report of another boot than the one that the attempt belongs to is refused. Absent: not checked. */
  readonly bootId?: string;
  /** What the action left in outputs.json, as JSON at most `maxOutputsBytes`; only of one that succeeded. Absent: `{}`. */
  readonly outputs?: JsonObject;
}

/** Bytes of an action's outputs as JSON. */
export const maxOutputsBytes = 16_384;
/** How deep an action's outputs may be nested, texts and numbers included: whoever walks them does so by recursion. */
export const maxOutputsDepth = 32;

/** Of a JSON value: 1 for what holds nothing, 2 for a list of numbers. Walks without recursion. */
export function isDeeper(value: unknown, depth: number): boolean {
  let level: readonly unknown[] = [value];
  for (let left = depth; level.length > 0; left--) {
    if (left === 0) return true;
    level = level.flatMap((each) => (typeof each === 'object' && each !== null ? Object.values(each) : []));
  }
  return false;
}

export interface HandlerReport {
  readonly workflowId: string;
  readonly index: number;
  readonly attempt: number;
  readonly handler: 'on-failure' | 'on-timeout';
  readonly exitCode: number | null;
  readonly seconds: number;
  readonly message: string;
}

/** `Nats-Msg-Id` of a report and command id of what the engine appends for it. */
export function reportId(workflowId: string, index: number, attempt: number, kind: string): string {
  return `${workflowId}:${index}:${attempt}:${kind}`;
}

/** Request of `next`. The worker is the one in the subject; `bootId` is the kernel's random/boot_id. */
export interface NextRequest {
  readonly bootId: string;
  /** The attempts that this worker is at work on: it asks for another one beside them. Absent: one at a time. */
  readonly busy?: readonly AttemptRef[];
  /** The public key that it enrolled with: nothing new is begun by a worker that another one has replaced. Absent: not checked. */
  readonly key?: string;
}

/** One try of one action. */
export interface AttemptRef {
  readonly workflowId: string;
  readonly index: number;
  readonly attempt: number;
}

export interface Assignment {
  readonly workflowId: string;
  readonly index: number;
  /** Number to report with. Greater than 1 when an earlier attempt of this action started and never finished. */
  readonly attempt: number;
  readonly total: number;
  /** References to outputs in its environment and command are filled in. */
  readonly action: ActionSpec;
  /** Version of the ephemeral data to hand to the action; 0 = none yet, i.e. `{}`. */
  readonly dataVersion: number;
  /** It must not run without a permit, see PermitRequest. Absent: false. */
  readonly destructive?: boolean;
  /** An earlier try was cut off by a restart of the machine: the action finds TINKERBELL_RESUMED=1. Absent: false. */
  readonly resumed?: boolean;
  /** Environment variables whose values are secrets, to be asked for with `secrets`. Absent: none. */
  readonly secretNames?: readonly string[];
  /** Images of this worker's later actions, as in the template: it may fetch them while this one runs. */
  readonly upcoming?: readonly string[];
}

export interface NextReply {
  readonly assignment: Assignment | null;
  /** Why there is nothing to do, for the worker's log: "no workflow for this machine", "waiting for …". */
  readonly reason: string;
}

/** `state`: may this attempt go on? Asked while an action runs, every few seconds and on every wake-up. */
export type StateRequest = AttemptRef;
export interface StateReply {
  readonly goOn: boolean;
  /** The workflow is being cancelled: stop the container and report `cancelled`. Absent: false. */
  readonly cancelled?: boolean;
  /** `finished`: this attempt's result is in the log. */
  readonly finished: boolean;
  readonly reason: string;
}

/** `data-get` / `data-put`: ephemeral data of a workflow, a JSON object of at most 10 MiB. */
export interface DataGetRequest {
  readonly workflowId: string;
  readonly version?: number;
}
export interface DataGetReply {
  readonly version: number;
  readonly data: string;
}
export interface DataPutRequest {
  readonly workflowId: string;
  readonly index: number;
  readonly data: string;
}
export interface DataPutReply {
  readonly version: number;
}

/**
 * `permit`: may this attempt of a destructive action run now? Granted once for an attempt; to the same `nonce` the same answer again.
 * A refusal is final for the attempt.
 */
export interface PermitRequest extends AttemptRef {
  readonly bootId: string;
  /** Made by the worker for this attempt: 16 to 64 hex digits. */
  readonly nonce: string;
  /** Serial numbers of the machine's disks, as far as it knows them. */
  readonly disks: readonly string[];
  /** As in NextRequest. */
  readonly key?: string;
}
export interface PermitReply {
  /** The container must be running before. ISO 8601, the server's clock. */
  readonly expiresAt: string;
  /** Seconds until then, for a worker whose clock is wrong. */
  readonly seconds: number;
}

/** `secrets`: the values of the action's secrets, by environment variable. Only while the attempt runs. */
export type SecretsRequest = AttemptRef;
export interface SecretsReply {
  readonly values: Readonly<Record<string, string>>;
}

/** Every RPC answers one of these two; Nest adds `isDisposed`. */
export type RpcReply<T> =
  { readonly response: T } | { readonly err: { readonly code: string; readonly message: string } };

/** One message on `TINK_LOG`. `stream`: where the container wrote it, or `worker` for what the worker itself has to say. */
export interface LogLine {
  readonly at: string;
  readonly stream: 'stdout' | 'stderr' | 'worker';
  readonly attempt: number;
  readonly line: string;
}

/** One message on `TINK_LOG` that a machine sent by syslog. Names of RFC 5424; `at`: when boots took it, ISO 8601. */
export interface MachineLine {
  readonly at: string;
  /** `aa-bb-cc-dd-ee-ff`. */
  readonly mac: string;
  /** It came from there. */
  readonly address: string;
  readonly facility: string;
  readonly severity: string;
  /** By the machine's own clock; null where it gave none. */
  readonly sentAt: string | null;
  readonly host: string;
  readonly app: string;
  readonly pid: string;
  readonly line: string;
}

/** POST https://<tink-server>/v1/enrol */
export interface EnrolRequest {
  readonly workerId: string;
  readonly mac: string;
  readonly token: string;
  /** Public user nkey, `U…`. */
  readonly publicKey: string;
}
export interface EnrolReply {
  readonly workerId: string;
  /** NATS user JWT for that key. */
  readonly jwt: string;
  readonly natsUrl: string;
  /** PEM; the CA of NATS, of the registry and of tink-server. */
  readonly ca: string;
  readonly expiresAt: string;
  readonly registry: { readonly address: string; readonly username: string; readonly password: string };
}
