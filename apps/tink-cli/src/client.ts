import { randomUUID } from 'node:crypto';
import type { AnyEvent, Recorded } from '@tinkerbell/events';
import type { Explanation } from '@tinkerbell/history';
import { ApiError } from './api-errors';
import type {
  BootItem,
  Decided,
  CloudEventItem,
  DeadLetterItem,
  AuditItem,
  AuditKeyItem,
  Deleted,
  ForeignLease,
  HardwareItem,
  HolderItem,
  ImportAnswer,
  DhcpServerItem,
  EndedItem,
  LeaseDetailItem,
  LeaseItem,
  PoolItem,
  PushedHardware,
  LogItem,
  MachineItem,
  MachineLogItem,
  RowChange,
  Subject,
  SecretItem,
  SeenOne,
  PlanItem,
  RedeliveredItem,
  ReplayItem,
  SubscriptionItem,
  SubscriptionRequest,
  SubscriptionWritten,
  ReadModelItem,
  TemplateDiffItem,
  TemplateItem,
  TemplateVersionItem,
  TenureItem,
  TryTemplate,
  WorkerToken,
  WorkflowDataItem,
  WorkflowItem,
  Written,
} from './api-types';
import { parseJson, type Call, type Query, type Transport } from './transport';

export interface EventQuery {
  /** Events after this position. */
  readonly after?: number | undefined;
  /** ISO 8601. */
  readonly since?: string | undefined;
  readonly aggregate?: string | undefined;
  readonly id?: string | undefined;
  readonly type?: string | undefined;
  readonly limit?: number | undefined;
}

export interface LogQuery {
  readonly action?: string | undefined;
  /** ISO 8601. */
  readonly since?: string | undefined;
}

const pageSize = 500;
const subscriptionPath = (name: string) => `/api/subscriptions/${encodeURIComponent(name)}`;
const logsPath = (workflowId: string) => `/api/workflows/${encodeURIComponent(workflowId)}/logs`;

/** tink-server's `/api`, typed. Connects with the first call, so that a command that asks nothing needs no settings. */
export class Client {
  private transport: Transport | undefined;

  constructor(
    private readonly connect: () => Transport,
    /** Gives up every call that does not come with a signal of its own. */
    private readonly signal?: AbortSignal,
    /** Part of every question. */
    private readonly base: Query = {},
  ) {}

  /** The same server, asked for no longer than that. */
  within(milliseconds: number): Client {
    return new Client(() => this.open(), AbortSignal.timeout(milliseconds), this.base);
  }

  /** The same server, asked how things were: at a position of the log or an ISO 8601 time. */
  asOf(at: string): Client {
    return new Client(() => this.open(), this.signal, { at });
  }

  hardwareList = (query: Query = {}): Promise<readonly HardwareItem[]> => this.all('/api/hardware', query);
  hardware = (id: string, minSeq?: number): Promise<HardwareItem> =>
    this.get(`/api/hardware/${encodeURIComponent(id)}`, { minSeq });
  /** `record`: JSON; `ifPosition`: that of the record that it takes the place of. */
  pushHardware = (record: string, ifPosition?: number): Promise<PushedHardware> =>
    this.send({ method: 'POST', path: '/api/hardware', text: record, query: { ifPosition } });
  deleteHardware = (id: string): Promise<Deleted> => this.write('DELETE', `/api/hardware/${encodeURIComponent(id)}`);

  templates = (): Promise<readonly TemplateItem[]> => this.all('/api/templates', {});
  template = (idOrName: string): Promise<TemplateItem> => this.get(`/api/templates/${encodeURIComponent(idOrName)}`);
  createTemplate = (body: { readonly name: string; readonly data: string }): Promise<Written> =>
    this.write('POST', '/api/templates', body);
  updateTemplate = (id: string, body: { readonly name?: string; readonly data?: string }): Promise<unknown> =>
    this.write('PUT', `/api/templates/${encodeURIComponent(id)}`, body);
  deleteTemplate = (id: string): Promise<Deleted> => this.write('DELETE', `/api/templates/${encodeURIComponent(id)}`);

  templateVersions = (idOrName: string): Promise<readonly TemplateVersionItem[]> =>
    this.get(`/api/templates/${encodeURIComponent(idOrName)}/versions`);
  templateVersion = (idOrName: string, version: number): Promise<TemplateItem> =>
    this.get(`/api/templates/${encodeURIComponent(idOrName)}/versions/${version}`);
  templateDiff = (idOrName: string, query: Query): Promise<TemplateDiffItem> =>
    this.get(`/api/templates/${encodeURIComponent(idOrName)}/diff`, query);
  restoreTemplate = (idOrName: string, version: number): Promise<Written> =>
    this.write('POST', `/api/templates/${encodeURIComponent(idOrName)}/restore`, { version });
  renderTemplate = (tried: TryTemplate): Promise<{ readonly text: string }> =>
    this.write('POST', '/api/templates/render', tried);
  planTemplate = (tried: TryTemplate): Promise<PlanItem> => this.write('POST', '/api/templates/plan', tried);
  replayTemplate = (body: {
    readonly template: string;
    readonly data?: string;
    readonly limit: number;
  }): Promise<ReplayItem> => this.write('POST', '/api/templates/replay', body);

  workflows = (query: Query = {}): Promise<readonly WorkflowItem[]> => this.all('/api/workflows', query);
  workflow = (id: string, minSeq?: number, signal?: AbortSignal): Promise<WorkflowItem> =>
    this.get(`/api/workflows/${encodeURIComponent(id)}`, { minSeq }, signal);
  createWorkflow = (body: { readonly template: string; readonly hardware: unknown }): Promise<Written> =>
    this.write('POST', '/api/workflows', body);
  deleteWorkflow = (id: string): Promise<Deleted> => this.write('DELETE', `/api/workflows/${encodeURIComponent(id)}`);
  /** `verb`: cancel, pause, resume; retry, clone, which make a new workflow: its id is in the answer. */
  decide = (id: string, verb: string, body: object): Promise<Decided> =>
    this.write('POST', `/api/workflows/${encodeURIComponent(id)}/${verb}`, body);
  /** `action`: its index, id (`task/name`), or its name when only one has it. `verb`: approve, reject, skip or resolve. */
  decideAction = (id: string, action: string, verb: string, body: object): Promise<Decided> =>
    this.decide(id, `actions/${encodeURIComponent(action)}/${verb}`, body);
  /** Without a version: the latest. */
  async workflowData(id: string, version?: number): Promise<WorkflowDataItem> {
    const path = `/api/workflows/${encodeURIComponent(id)}/data`;
    const answer = await this.open().text({ method: 'GET', path, query: { version }, signal: this.signal });
    const rest = parseJson(answer, path) as Omit<WorkflowDataItem, 'text'>;
    // The data is the last member, sent byte for byte as it is stored: parsing it could change its numbers.
    const start = answer.indexOf(',"data":') + ',"data":'.length;
    return { ...rest, text: answer.slice(start, answer.lastIndexOf('}')) };
  }

  machines = (): Promise<readonly MachineItem[]> => this.all('/api/machines', {});
  /** By id, MAC, IP address or host name. */
  machine = (name: string): Promise<MachineItem> => this.get(`/api/machines/${encodeURIComponent(name)}`);
  readModels = (): Promise<readonly ReadModelItem[]> => this.get('/api/read-models', {});
  rebuildReadModels = (projections?: readonly string[]): Promise<readonly ReadModelItem[]> =>
    this.write('POST', '/api/read-models/rebuild', { projections });
  leases = (minSeq?: number): Promise<readonly LeaseItem[]> => this.all('/api/leases', { minSeq });
  /** Of one machine, of both address families. */
  leasesOf = (of: string, minSeq?: number): Promise<readonly LeaseItem[]> => this.get('/api/leases', { of, minSeq });
  boots = (name: string, limit: number): Promise<BootItem> =>
    this.get(`/api/machines/${encodeURIComponent(name)}/boots`, { limit });
  lease = (name: string): Promise<LeaseDetailItem> => this.get(`/api/leases/${encodeURIComponent(name)}`);
  leasePools = (): Promise<readonly PoolItem[]> => this.all('/api/lease-pools', {});
  importLeases = (pool: string, body: { leases: readonly ForeignLease[]; dryRun: boolean }): Promise<ImportAnswer> =>
    this.write('POST', `/api/lease-pools/${encodeURIComponent(pool)}/import`, body);
  /** `seen`: it is not ended when it is another by now. */
  endLease = (
    ip: string,
    body: { readonly pool?: string; readonly seen?: SeenOne; readonly dryRun?: boolean },
  ): Promise<EndedItem> => this.write('POST', `/api/leases/${encodeURIComponent(ip)}/end`, body);
  dhcpServers = (): Promise<readonly DhcpServerItem[]> => this.all('/api/dhcp-servers', {});
  leaseHistory = (name: string): Promise<readonly TenureItem[]> =>
    this.get(`/api/leases/${encodeURIComponent(name)}/history`);
  leaseHolder = (ip: string): Promise<HolderItem> => this.get(`/api/leases/${encodeURIComponent(ip)}/holder`);
  workerToken = (hardwareId: string): Promise<WorkerToken> =>
    this.write('POST', `/api/workers/${encodeURIComponent(hardwareId)}/token`, {});
  secrets = (): Promise<readonly SecretItem[]> => this.all('/api/secrets', {});
  setSecret = (name: string, value: string): Promise<{ readonly version: number }> =>
    this.write('PUT', `/api/secrets/${encodeURIComponent(name)}`, { value });
  deleteSecret = (name: string): Promise<Deleted> => this.write('DELETE', `/api/secrets/${encodeURIComponent(name)}`);
  subscriptions = (): Promise<readonly SubscriptionItem[]> => this.all('/api/subscriptions', {});
  subscription = (name: string): Promise<SubscriptionItem> => this.get(subscriptionPath(name));
  putSubscription = (name: string, body: SubscriptionRequest): Promise<SubscriptionWritten> =>
    this.write('PUT', subscriptionPath(name), body);
  deleteSubscription = (name: string): Promise<Deleted> => this.write('DELETE', subscriptionPath(name));
  deadLetters = (name: string): Promise<readonly DeadLetterItem[]> =>
    this.get(`${subscriptionPath(name)}/dead-letters`);
  redeliver(name: string, event: string | undefined): AsyncGenerator<RedeliveredItem> {
    const body = event === undefined ? {} : { event };
    const path = `${subscriptionPath(name)}/redeliver`;
    return this.lines<RedeliveredItem>({ method: 'POST', path, body, signal: this.signal, follow: true });
  }
  /** The next events of a durable subscription; none when none came in time. `ack`: it is done, with those before it. */
  async nextEvents(
    name: string,
    body: { readonly ack?: string | undefined; readonly max: number; readonly waitSeconds?: number },
    signal: AbortSignal,
  ): Promise<readonly CloudEventItem[]> {
    const path = `${subscriptionPath(name)}/next`;
    const text = await this.open().text({ method: 'POST', path, body, signal });
    return text === '' ? [] : (parseJson(text, path) as readonly CloudEventItem[]);
  }

  serverVersion = (signal?: AbortSignal): Promise<unknown> => this.get('/version', {}, signal);

  explanation = (kind: Subject, name: string): Promise<Explanation> =>
    this.get(`/api/explain/${kind}s/${encodeURIComponent(name)}`);
  /** NDJSON, as it is kept in a file. */
  bundle = (kind: Subject, name: string): Promise<string> =>
    this.open().text({ method: 'GET', path: `/api/bundle/${kind}s/${encodeURIComponent(name)}`, signal: this.signal });
  differences(query: Query): AsyncGenerator<RowChange> {
    return this.lines<RowChange>({ method: 'GET', path: '/api/diff', query, signal: this.signal });
  }

  /** Oldest first; ends with the newest. */
  events(query: EventQuery, signal?: AbortSignal): AsyncGenerator<Recorded<AnyEvent>> {
    return this.lines<Recorded<AnyEvent>>({ method: 'GET', path: '/api/events', query: { ...query }, signal });
  }

  /** As `events`, then new ones as they come. */
  followEvents(query: EventQuery, signal: AbortSignal, onConnect?: () => void): AsyncGenerator<Recorded<AnyEvent>> {
    return this.lines<Recorded<AnyEvent>>({
      method: 'GET',
      path: '/api/events',
      query: { ...query, follow: 1 },
      signal,
      follow: true,
      onConnect,
    });
  }

  logs(workflowId: string, query: LogQuery, signal: AbortSignal): AsyncGenerator<LogItem> {
    return this.lines<LogItem>({ method: 'GET', path: logsPath(workflowId), query: { ...query }, signal });
  }

  /** What a machine sent by syslog; with `onConnect` new lines too, as they come. */
  machineLogs(
    name: string,
    query: { readonly since: string | undefined },
    signal: AbortSignal,
    onConnect?: () => void,
  ): AsyncGenerator<MachineLogItem> {
    const path = `/api/machines/${encodeURIComponent(name)}/logs`;
    const live = onConnect && ({ follow: true, onConnect } as const);
    return this.lines<MachineLogItem>({
      ...{ method: 'GET', path, signal, ...live },
      query: { ...query, ...(live ? { follow: 1 } : {}) },
    });
  }

  /** As `logs`, then new lines as they come, while the workflow has not ended. */
  followLogs(
    workflowId: string,
    query: LogQuery,
    signal: AbortSignal,
    onConnect?: () => void,
  ): AsyncGenerator<LogItem> {
    const path = logsPath(workflowId);
    return this.lines<LogItem>({
      method: 'GET',
      path,
      query: { ...query, follow: 1 },
      signal,
      follow: true,
      onConnect,
    });
  }

  auditKeys = (): Promise<readonly AuditKeyItem[]> => this.get('/api/audit/keys');
  /** Oldest first. */
  auditLog = (query: Query): AsyncGenerator<AuditItem> =>
    this.lines<AuditItem>({ method: 'GET', path: '/api/audit/log', query, signal: this.signal });
  /** The bytes of a file with the whole log; with `bodies` a backup, with `secrets` also what lies sealed. */
  auditExport = (query: {
    readonly bodies?: 1;
    readonly secrets?: 1;
    readonly since?: number;
  }): AsyncGenerator<Uint8Array> =>
    this.open().bytes({ method: 'GET', path: '/api/audit/export', query, signal: this.signal });

  private open(): Transport {
    this.transport ??= this.connect();
    return this.transport;
  }

  // The shapes are the server's contract; a wrong one shows as a missing column, never as something done.
  private async get<T>(path: string, query: Query = {}, signal?: AbortSignal): Promise<T> {
    const call = { method: 'GET', path, query: { ...this.base, ...query }, signal: signal ?? this.signal } as const;
    return parseJson(await this.open().text(call), path) as T;
  }

  private write<T>(method: 'POST' | 'PUT' | 'DELETE', path: string, body?: unknown): Promise<T> {
    return this.send<T>({ method, path, body });
  }

  private async send<T>(call: Call): Promise<T> {
    const text = await this.open().text({ ...call, idempotencyKey: randomUUID(), signal: this.signal });
    return (text.trim() === '' ? {} : parseJson(text, call.path)) as T;
  }

  /** A list in pages, `{items, next?}`; a plain array is a list of one page. */
  private async all<T>(path: string, query: Query): Promise<readonly T[]> {
    const items: T[] = [];
    for (let after: string | undefined; ;) {
      const page = await this.get<readonly T[] | { readonly items: readonly T[]; readonly next?: string | null }>(
        path,
        {
          ...query,
          limit: pageSize,
          after,
        },
      );
      if (isArray(page)) return [...items, ...page];
      if (!isArray(page.items)) throw new ApiError(502, 'NOT_A_LIST', `${path} did not answer with a list`);
      items.push(...page.items);
      if (page.next === undefined || page.next === null || page.items.length === 0) return items;
      after = page.next;
    }
  }

  private async *lines<T>(call: Call): AsyncGenerator<T> {
    for await (const line of this.open().lines(call)) yield line as T;
  }
}

function isArray<T>(value: readonly T[] | object): value is readonly T[] {
  return Array.isArray(value);
}
