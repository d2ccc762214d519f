import { Metadata, Server, ServerCredentials, status, type ServiceError } from '@grpc/grpc-js';
import type { sendUnaryData, ServerDuplexStream, ServerReadableStream, ServerUnaryCall } from '@grpc/grpc-js';
import type { ServerWritableStream } from '@grpc/grpc-js';
// Messages and services as the client has them; they are not part of what its package documents.
import featureServices from '@kurrent/kurrentdb-client/generated/kurrentdb/protocols/v1/serverfeatures_grpc_pb.js';
import features from '@kurrent/kurrentdb-client/generated/kurrentdb/protocols/v1/serverfeatures_pb.js';
import shared from '@kurrent/kurrentdb-client/generated/kurrentdb/protocols/v1/shared_pb.js';
import statuses from '@kurrent/kurrentdb-client/generated/kurrentdb/protocols/v1/status_pb.js';
import services from '@kurrent/kurrentdb-client/generated/kurrentdb/protocols/v1/streams_grpc_pb.js';
import streams from '@kurrent/kurrentdb-client/generated/kurrentdb/protocols/v1/streams_pb.js';
import protobuf from 'google-protobuf/google/protobuf/any_pb.js';
import {
  RevisionConflictError,
  TargetRefusedError,
  type Expected,
  type LastEvent,
  type TargetEvent,
} from '../archive-target';
import type { InMemoryTarget } from './in-memory-target';

export interface KurrentStub {
  readonly port: number;
  readonly memory: InMemoryTarget;
  stop(): Promise<void>;
}

export interface StubOptions {
  readonly batches: boolean;
  /** Asked before each batch: whether to refuse it without any details, at which the client throws where nobody can catch it. */
  readonly refuses?: () => boolean;
}

const maxAppendBytes = 1_048_576;

/**
 * The calls of KurrentDB that the mirror makes, over a fake of it. It is our reading of the protocol: that the client can talk to it
 * shows that the adapter calls the client rightly. It is not KurrentDB and does not show how that one behaves.
 */
export async function startKurrentStub(memory: InMemoryTarget, options: StubOptions): Promise<KurrentStub> {
  const server = new Server({ 'grpc.max_receive_message_length': 64 * 1_048_576 });
  server.addService(services.StreamsService, {
    read: (call: ServerWritableStream<streams.ReadReq, streams.ReadResp>) => void read(memory, call),
    append: (
      call: ServerReadableStream<streams.AppendReq, streams.AppendResp>,
      answer: sendUnaryData<streams.AppendResp>,
    ) =>
      void append(memory, call).then(
        (reply) => answer(null, reply),
        (error: unknown) => answer(failure(error)),
      ),
    batchAppend: (call: ServerDuplexStream<streams.BatchAppendReq, streams.BatchAppendResp>) =>
      batchAppend(memory, call, options),
  });
  server.addService(featureServices.ServerFeaturesService, {
    getSupportedMethods: (_: ServerUnaryCall<unknown, unknown>, answer: sendUnaryData<features.SupportedMethods>) => {
      const method = new features.SupportedMethod();
      method.setServiceName('event_store.client.streams.streams');
      method.setMethodName('batchappend');
      const reply = new features.SupportedMethods();
      reply.setEventStoreServerVersion('0.0.0-stub');
      if (options.batches) reply.setMethodsList([method]);
      answer(null, reply);
    },
  });
  const port = await new Promise<number>((resolve, reject) => {
    server.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (error, bound) =>
      error ? reject(error) : resolve(bound),
    );
  });
  return {
    port,
    memory,
    stop: async () => server.forceShutdown(),
  };
}

async function read(
  memory: InMemoryTarget,
  call: ServerWritableStream<streams.ReadReq, streams.ReadResp>,
): Promise<void> {
  try {
    const wanted = call.request.getOptions();
    const from = wanted?.getStream();
    const backwards = wanted?.getReadDirection() === streams.ReadReq.Options.ReadDirection.BACKWARDS;
    if (!from?.hasEnd() || !backwards || wanted?.getCount() !== '1')
      throw new Error('the mirror reads the last event only');
    const name = nameOf(from.getStreamIdentifier());
    const last = await memory.last(name);
    const reply = new streams.ReadResp();
    if (last) reply.setEvent(readEvent(name, last));
    else {
      const missing = new streams.ReadResp.StreamNotFound();
      missing.setStreamIdentifier(from.getStreamIdentifier());
      reply.setStreamNotFound(missing);
    }
    call.write(reply);
    call.end();
  } catch (error) {
    call.emit('error', failure(error));
  }
}

function readEvent(stream: string, { id, revision, type, data, metadata }: LastEvent): streams.ReadResp.ReadEvent {
  const recorded = new streams.ReadResp.ReadEvent.RecordedEvent();
  const uuid = new shared.UUID();
  uuid.setString(id);
  recorded.setId(uuid);
  const identifier = new shared.StreamIdentifier();
  identifier.setStreamName(Buffer.from(stream));
  recorded.setStreamIdentifier(identifier);
  recorded.setStreamRevision(String(revision));
  recorded.setPreparePosition('1');
  recorded.setCommitPosition('1');
  recorded
    .getMetadataMap()
    .set('type', type)
    .set('content-type', 'application/json')
    .set('created', '16725225600000000');
  recorded.setData(Buffer.from(JSON.stringify(data)));
  recorded.setCustomMetadata(metadata === undefined ? '' : Buffer.from(JSON.stringify(metadata)));
  const event = new streams.ReadResp.ReadEvent();
  event.setEvent(recorded);
  event.setCommitPosition('1');
  return event;
}

async function append(
  memory: InMemoryTarget,
  call: ServerReadableStream<streams.AppendReq, streams.AppendResp>,
): Promise<streams.AppendResp> {
  let options: streams.AppendReq.Options | undefined;
  const events: TargetEvent[] = [];
  for await (const request of call as AsyncIterable<streams.AppendReq>) {
    options ??= request.getOptions();
    const message = request.getProposedMessage();
    if (message) events.push(eventOf(message));
  }
  const expected: Expected = options?.hasNoStream()
    ? 'no-stream'
    : options?.hasAny()
      ? 'any'
      : BigInt(options?.getRevision() ?? 0);
  const reply = new streams.AppendResp();
  try {
    const success = new streams.AppendResp.Success();
    success.setCurrentRevision(String(await memory.append(nameOf(options?.getStreamIdentifier()), events, expected)));
    reply.setSuccess(success);
  } catch (error) {
    if (!(error instanceof RevisionConflictError)) throw error;
    const conflict = new streams.AppendResp.WrongExpectedVersion();
    conflict.setCurrentNoStream(new shared.Empty());
    conflict.setExpectedNoStream(new shared.Empty());
    reply.setWrongExpectedVersion(conflict);
  }
  return reply;
}

function batchAppend(
  memory: InMemoryTarget,
  call: ServerDuplexStream<streams.BatchAppendReq, streams.BatchAppendResp>,
  { refuses = () => false }: StubOptions,
): void {
  const open = new Map<string, { readonly options: streams.BatchAppendReq.Options; readonly events: TargetEvent[] }>();
  call.on('data', (request: streams.BatchAppendReq) => {
    const correlation = request.getCorrelationId()?.getString() ?? '';
    const options = request.getOptions();
    const batch = open.get(correlation) ?? (options && { options, events: [] });
    if (!batch) return;
    open.set(correlation, batch);
    batch.events.push(...request.getProposedMessagesList().map(eventOf));
    if (!request.getIsFinal()) return;
    open.delete(correlation);
    if (refuses()) {
      const bare = new streams.BatchAppendResp().setCorrelationId(request.getCorrelationId());
      call.write(bare.setStreamIdentifier(batch.options.getStreamIdentifier()).setError(new statuses.Status()));
      return;
    }
    void store(memory, batch.options, batch.events).then(
      (reply) => call.write(reply.setCorrelationId(request.getCorrelationId())),
      (error: unknown) => call.emit('error', failure(error)),
    );
  });
  call.on('end', () => call.end());
}

async function store(
  memory: InMemoryTarget,
  options: streams.BatchAppendReq.Options,
  events: readonly TargetEvent[],
): Promise<streams.BatchAppendResp> {
  const expected: Expected = options.hasNoStream()
    ? 'no-stream'
    : options.hasAny()
      ? 'any'
      : BigInt(options.getStreamPosition());
  const reply = new streams.BatchAppendResp();
  reply.setStreamIdentifier(options.getStreamIdentifier());
  try {
    const success = new streams.BatchAppendResp.Success();
    success.setCurrentRevision(String(await memory.append(nameOf(options.getStreamIdentifier()), events, expected)));
    return reply.setSuccess(success);
  } catch (error) {
    if (error instanceof RevisionConflictError) {
      return reply.setError(statusOf('WrongExpectedVersion', new shared.WrongExpectedVersion()));
    }
    if (!(error instanceof TargetRefusedError)) throw error;
    const tooLarge = new shared.MaximumAppendSizeExceeded();
    tooLarge.setMaxappendsize(maxAppendBytes);
    return reply.setError(statusOf('MaximumAppendSizeExceeded', tooLarge));
  }
}

function statusOf(type: string, details: { serializeBinary(): Uint8Array }): statuses.Status {
  const any = new protobuf.Any();
  any.pack(details.serializeBinary(), `event_store.client.${type}`);
  return new statuses.Status().setMessage(type).setDetails(any);
}

function eventOf(message: streams.AppendReq.ProposedMessage | streams.BatchAppendReq.ProposedMessage): TargetEvent {
  const json = (bytes: Uint8Array): unknown => JSON.parse(Buffer.from(bytes).toString());
  const custom = message.getCustomMetadata_asU8();
  return {
    id: message.getId()?.getString() ?? '',
    type: message.getMetadataMap().get('type') ?? '',
    data: json(message.getData_asU8()),
    metadata: (custom.length === 0 ? {} : json(custom)) as Readonly<Record<string, unknown>>,
    bytes: message.getData_asU8().length + custom.length,
  };
}

function nameOf(identifier: shared.StreamIdentifier | undefined): string {
  return Buffer.from(identifier?.getStreamName_asU8() ?? []).toString();
}

function failure(error: unknown): ServiceError {
  const metadata = new Metadata();
  const refused = error instanceof TargetRefusedError;
  if (refused) {
    metadata.set('exception', 'maximum-append-size-exceeded');
    metadata.set('maximum-append-size', String(maxAppendBytes));
  }
  const details = error instanceof Error ? error.message : String(error);
  const code = refused ? status.INVALID_ARGUMENT : status.UNAVAILABLE;
  return Object.assign(new Error(details), { code, details, metadata });
}
