import type { Aggregate } from '@tinkerbell/events';

/** The only tenant so far; every subject that could be shared between tenants carries one. */
export const defaultTenant = 'default';

/** Stands for the workflow in the subject of a line that belongs to none. */
const noWorkflow = '-';

const token = /^[A-Za-z0-9_-]{1,64}$/;

/** A NATS subject token that may come from outside: `[A-Za-z0-9_-]{1,64}`, so never `.`, `*`, `>` or a space. */
export function isSubjectToken(text: string): boolean {
  return token.test(text);
}

export class SubjectTokenError extends Error {
  constructor(readonly value: string) {
    super(`${JSON.stringify(value)} cannot be part of a subject: use 1 to 64 of A-Z a-z 0-9 _ -`);
  }
}

function safe(text: string): string {
  if (!token.test(text)) throw new SubjectTokenError(text);
  return text;
}

/** Every NATS subject of the product. docs/streams.md says who writes and who reads each. */
export const subjects = {
  /** Stream `TINK_EV`: one subject per aggregate instance. */
  stream: (aggregate: Aggregate, id: string, tenant = defaultTenant) =>
    `tink.ev.${safe(tenant)}.${aggregate}.${safe(id)}`,
  allEvents: 'tink.ev.>',
  eventsOf: (aggregate: Aggregate) => `tink.ev.*.${aggregate}.*`,
  /** Of all aggregates, or of one. */
  eventsWithId: (id: string, aggregate: Aggregate | '*' = '*') => `tink.ev.*.${aggregate}.${safe(id)}`,
  /** Stream `TINK_IN`: what a worker reports; `kind` is `ready`, `started`, `finished` or `handler`. */
  report: (workerId: string, kind: ReportKind) => `tink.in.wk.${safe(workerId)}.${kind}`,
  allReports: 'tink.in.wk.>',
  /** Stream `TINK_LOG`: an action's output, one line a message. */
  log: (workerId: string, workflowId: string, index: number, tenant = defaultTenant) =>
    `tink.log.${safe(tenant)}.${safe(workerId)}.${safe(workflowId)}.${index}`,
  logOfWorkflow: (workflowId: string) => `tink.log.*.*.${safe(workflowId)}.*`,
  logOfAction: (workflowId: string, index: number) => `tink.log.*.*.${safe(workflowId)}.${index}`,
  /**
   * Stream `TINK_LOG`: what a machine itself logs, outside of any action. `id`: of its hardware record, without one its MAC; `workflowId`:
   * what it was at work on.
   */
  machineLog: (id: string, workflowId?: string, tenant = defaultTenant) =>
    `tink.log.${safe(tenant)}.${safe(id)}.${workflowId === undefined ? noWorkflow : safe(workflowId)}.syslog`,
  logOfMachine: (id: string) => `tink.log.*.${safe(id)}.*.syslog`,
  allLogs: 'tink.log.>',
  /** Stream `TINK_PUB`: `tink.pub.<tenant>.<entity>.<event>.v<N>.<id>`; libs/public-events names each. */
  allPublished: 'tink.pub.>',
  /** Core NATS request/reply from a worker; `call`: see RpcCall. */
  rpc: (workerId: string, call: RpcCall) => `tink.rpc.wk.${safe(workerId)}.${call}`,
  anyRpc: (call: RpcCall) => `tink.rpc.wk.*.${call}`,
  /** Core NATS, server → worker: something changed, ask again now. Carries nothing that has to arrive. */
  wake: (workerId: string) => `tink.wake.wk.${safe(workerId)}`,
  /** Core NATS request/reply: every boots answers with what it is for its lease pool. */
  poolRoll: 'tink.roll.pool',
  /** Core NATS request/reply: leases of another server for this lease pool; the active boots answers. */
  leaseImport: (pool: string) => `tink.import.lease.${safe(pool)}`,
  /** Core NATS request/reply: an operator gives an address of this lease pool free; the active boots answers. */
  leaseEnd: (pool: string) => `tink.end.lease.${safe(pool)}`,
  /** Private reply space of one worker. */
  inboxPrefix: (workerId: string) => `_INBOX_wk_${safe(workerId)}`,
} as const;

export type ReportKind = 'ready' | 'started' | 'finished' | 'handler';
export type RpcCall = 'next' | 'state' | 'data-get' | 'data-put' | 'permit' | 'secrets';

/** All that one worker may do on the bus; the credential that it gets at enrolment says exactly this. */
export function workerPermissions(workerId: string): {
  readonly publish: readonly string[];
  readonly subscribe: readonly string[];
} {
  const id = safe(workerId);
  return {
    publish: [`tink.in.wk.${id}.*`, `tink.log.${defaultTenant}.${id}.*.*`, `tink.rpc.wk.${id}.*`],
    subscribe: [`${subjects.inboxPrefix(id)}.>`, `tink.wake.wk.${id}`],
  };
}

const streamForm = /^tink\.ev\.[^.]+\.[^.]+\.[^.]+$/;

export function isStream(subject: string): boolean {
  return streamForm.test(subject);
}

/** `tink.ev.<tenant>.<aggregate>.<id>` → its parts, or undefined when it is not such a subject. */
export function parseStream(subject: string): { tenant: string; aggregate: string; id: string } | undefined {
  const [tink, ev, tenant, aggregate, id, more] = subject.split('.');
  if (tink !== 'tink' || ev !== 'ev' || !tenant || !aggregate || !id || more !== undefined) return undefined;
  return { tenant, aggregate, id };
}

/** `tink.in.wk.<worker>.<kind>` or `tink.rpc.wk.<worker>.<call>` → worker and last token. */
export function parseWorkerSubject(subject: string): { workerId: string; kind: string } | undefined {
  const [tink, family, wk, workerId, kind, ...rest] = subject.split('.');
  if (tink !== 'tink' || (family !== 'in' && family !== 'rpc') || wk !== 'wk') return undefined;
  return workerId && kind && rest.length === 0 ? { workerId, kind } : undefined;
}

/** `tink.log.<tenant>.<worker>.<workflow>.<index>` → its parts. */
export function parseLogSubject(subject: string): { workerId: string; workflowId: string; index: number } | undefined {
  const [tink, log, tenant, workerId, workflowId, index, ...rest] = subject.split('.');
  if (tink !== 'tink' || log !== 'log' || !tenant || !workerId || !workflowId || rest.length > 0) return undefined;
  return /^\d{1,6}$/.test(index ?? '') ? { workerId, workflowId, index: Number(index) } : undefined;
}

/** `tink.log.<tenant>.<hardware>.<workflow>.syslog` → its parts. */
export function parseMachineLogSubject(subject: string): { hardwareId: string; workflowId: string | null } | undefined {
  const [tink, log, tenant, hardwareId, workflowId, kind, ...rest] = subject.split('.');
  if (tink !== 'tink' || log !== 'log' || !tenant || !hardwareId || !workflowId || rest.length > 0) return undefined;
  return kind === 'syslog' ? { hardwareId, workflowId: workflowId === noWorkflow ? null : workflowId } : undefined;
}
