export {
  ConcurrencyError,
  emptyHead,
  EventStore,
  IntegrityError,
  StoreUnavailableError,
  UnknownEventError,
} from './event-store';
export type { Appended, Commit, History, StreamHead, SubscribeOptions } from './event-store';
export { handle } from './handle';
export type { Handled } from './handle';
export type { ReadModel } from './read-model';
