export type { Decider } from './decider';
export {
  ConflictError,
  DomainError,
  ForbiddenError,
  IllegalTransitionError,
  InvalidError,
  NotFoundError,
} from './errors';
