import { createHash } from 'node:crypto';
import { InvalidError, NotFoundError, workflowDecider } from '@tinkerbell/domain';
import type { Recorded, WorkflowDataUpdated, WorkflowEvent } from '@tinkerbell/events';
import { handle, type EventStore } from '@tinkerbell/event-store';
import { metadataFor, streamOf, type Caller } from '../commands/caller';
import { MalformedJsonError, parseJson } from '../http/json-text';
import type { ReadSide } from '../read-side';
import { loadWorkflow } from './load-workflow';

/** Where the texts lie, by their SHA-256: a `NatsBlobs`. */
export interface Blobs {
  put(sha256: string, content: Uint8Array): Promise<void>;
  get(sha256: string): Promise<Uint8Array | undefined>;
}

export interface DataVersion {
  /** 0: nothing was stored yet, the data is `{}`. */
  readonly version: number;
  readonly latest: number;
  readonly text: string;
  /** Keys of the originals; null for version 0. */
  readonly metadata: DataMetadata | null;
}

export interface DataMetadata {
  readonly 'worker-id': string;
  readonly 'action-name': string;
  readonly 'task-name': string;
  /** ISO 8601. */
  readonly 'updated-at': string;
  readonly sha256: string;
}

export interface DataWritten {
  readonly version: number;
  readonly position: number;
  readonly changed: boolean;
}

/** Ephemeral data of workflows: a JSON object that actions hand on, every version of it. The log holds only its digest. */
export class WorkflowData {
  constructor(
    private readonly store: EventStore,
    private readonly reads: ReadSide,
    private readonly blobs: Blobs,
  ) {}

  /** `by`: the action whose worker sends it; null for an operator. Throws InvalidError when the text is no JSON object or too long. */
  async put(
    workflowId: string,
    text: string,
    by: { readonly workerId: string; readonly index: number } | null,
    caller: Caller,
  ): Promise<DataWritten> {
    const content = Buffer.from(text, 'utf8');
    checkObject(text);
    const sha256 = createHash('sha256').update(content).digest('hex');
    const author = { workerId: by?.workerId ?? null, index: by?.index ?? null };
    const command = { type: 'PutData', ...author, sha256, size: content.length } as const;
    // Refused before its content is stored.
    workflowDecider.decide(command, await this.state(workflowId));
    await this.blobs.put(sha256, content);
    const metadata = metadataFor(caller, `workflow.data:${workflowId}`);
    const stream = streamOf('workflow', workflowId);
    const { position, changed } = await handle(this.store, workflowDecider, stream, command, metadata);
    await this.reads.settle(position);
    const versions = await this.versions(workflowId);
    const version = versions.findLast(({ event }) => event.data.sha256 === sha256)?.event.data.version;
    return { version: version ?? versions.length, position, changed };
  }

  /** The newest version, or one of the older. Throws NotFoundError. */
  async get(workflowId: string, version?: number): Promise<DataVersion> {
    const versions = await this.versions(workflowId);
    const latest = versions.at(-1)?.event.data.version ?? 0;
    const wanted = version === undefined || version === 0 ? latest : version;
    if (wanted === 0) return { version: 0, latest, text: '{}', metadata: null };
    const found = versions.find(({ event }) => event.data.version === wanted);
    if (!found) throw new NotFoundError('workflow data', `${workflowId} version ${wanted}`);
    const { sha256, workerId, action, task } = found.event.data;
    const content = await this.blobs.get(sha256);
    if (!content) throw new Error(`the content ${sha256} of workflow ${workflowId} version ${wanted} is lost`);
    const author = { 'worker-id': workerId, 'action-name': action, 'task-name': task };
    return {
      version: wanted,
      latest,
      text: new TextDecoder().decode(content),
      metadata: { ...author, 'updated-at': found.at, sha256 },
    };
  }

  private async versions(workflowId: string): Promise<readonly Recorded<WorkflowDataUpdated>[]> {
    const { events } = await this.store.read<WorkflowEvent>(streamOf('workflow', workflowId));
    if (events.length === 0 || events.at(-1)?.event.type === 'WorkflowDeleted') {
      throw new NotFoundError('workflow', workflowId);
    }
    return events.filter(isDataUpdate);
  }

  private async state(workflowId: string) {
    const state = await loadWorkflow(this.store, workflowId);
    if (state.status === 'none') throw new NotFoundError('workflow', workflowId);
    return state;
  }
}

function isDataUpdate(recorded: Recorded<WorkflowEvent>): recorded is Recorded<WorkflowDataUpdated> {
  return recorded.event.type === 'WorkflowDataUpdated';
}

function checkObject(text: string): void {
  let value: unknown;
  try {
    value = parseJson(text);
  } catch (error) {
    if (!(error instanceof MalformedJsonError)) throw error;
    throw new InvalidError(
      'data',
      `workflow data is not JSON: ${error.fault} at line ${error.line}, column ${error.column}`,
    );
  }
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return;
  const got = value === null ? 'null' : Array.isArray(value) ? 'a list' : `a ${typeof value}`;
  throw new InvalidError('data', `workflow data must be a JSON object, got ${got}`);
}
