export {
  CommandIdReusedError,
  CommitTooLargeError,
  ConcurrencyError,
  emptyHead,
  EventStore,
  IntegrityError,
  StoreUnavailableError,
} from './event-store';
export { UnknownEventError } from '@tinkerbell/events';
export type { Appended, Commit, History, StreamHead, SubscribeOptions } from './event-store';
export { handle } from './handle';
export type { Handled } from './handle';
export type { ReadModel } from './read-model';
export type { RowHistory } from './row-history';
export { InMemoryEventStore } from './in-memory';
export type { StoredMessage } from './envelope';
export { openReadModels } from './projector';
export type { ReadModelOptions, ReadModels } from './projector';
export { JetStreamEventStore } from './jetstream';
export type { JetStreamOptions } from './jetstream';
export { StoreUnsuitableError } from './jetstream-gate';
export type { Durability, GateOptions, StoreFacts } from './jetstream-gate';
