import type { DeliveryFailed, SubscriptionCreated, SubscriptionEvent, SubscriptionSpec } from '@tinkerbell/events';
import { assertNever, type Decider } from '../decider';
import { ConflictError, NotFoundError } from '../errors';
import { sameJson } from '../same-json';

export type SubscriptionCommand =
  /** Creates it, or makes an existing one as given; a disabled one is enabled. */
  | {
      readonly type: 'PutSubscription';
      readonly name: string;
      readonly spec: SubscriptionSpec;
      /** Absent: `now` for a new one, whatever it was for an existing one. */
      readonly start?: string;
      readonly from: SubscriptionCreated['data']['from'];
    }
  | { readonly type: 'DisableSubscription'; readonly name: string; readonly reason: string }
  | { readonly type: 'DeleteSubscription'; readonly name: string }
  | ({ readonly type: 'RecordDeadLetter' } & DeliveryFailed['data'])
  | { readonly type: 'RecordRedelivery'; readonly eventId: string };

export type SubscriptionState =
  | { readonly status: 'none' | 'deleted' }
  | {
      readonly status: 'active' | 'disabled';
      readonly spec: SubscriptionSpec;
      readonly start: string;
      readonly deadLetters: ReadonlySet<string>;
    };

type Existing = Extract<SubscriptionState, { readonly start: string }>;

export const subscriptionDecider: Decider<SubscriptionCommand, SubscriptionState, SubscriptionEvent> = {
  initial: { status: 'none' },
  decide(command, state) {
    if (command.type === 'PutSubscription') return put(command, state);
    if (!exists(state)) return ofNoSubscription(command, state);
    switch (command.type) {
      case 'DisableSubscription':
        return state.status === 'disabled'
          ? []
          : [{ type: 'SubscriptionDisabled', v: 1, data: { reason: command.reason } }];
      case 'DeleteSubscription':
        return [{ type: 'SubscriptionDeleted', v: 1, data: {} }];
      case 'RecordDeadLetter': {
        const { type: _, ...data } = command;
        return state.deadLetters.has(data.eventId) ? [] : [{ type: 'DeliveryFailed', v: 1, data }];
      }
      case 'RecordRedelivery': {
        const { eventId } = command;
        return state.deadLetters.has(eventId) ? [{ type: 'DeadLetterRedelivered', v: 1, data: { eventId } }] : [];
      }
      default:
        return assertNever(command);
    }
  },
  evolve(state, event) {
    if (event.type === 'SubscriptionCreated') {
      const { filters, webhook, start } = event.data;
      return { status: 'active', spec: { filters, webhook }, start, deadLetters: new Set() };
    }
    if (!exists(state)) return state;
    switch (event.type) {
      case 'SubscriptionChanged':
        return { ...state, spec: event.data };
      case 'SubscriptionDisabled':
        return { ...state, status: 'disabled' };
      case 'SubscriptionEnabled':
        return { ...state, status: 'active' };
      case 'SubscriptionDeleted':
        return { status: 'deleted' };
      case 'DeliveryFailed':
        return { ...state, deadLetters: new Set([...state.deadLetters, event.data.eventId]) };
      case 'DeadLetterRedelivered':
        return { ...state, deadLetters: new Set([...state.deadLetters].filter((id) => id !== event.data.eventId)) };
      default:
        return assertNever(event);
    }
  },
};

function put(
  { spec, start, from }: Extract<SubscriptionCommand, { readonly type: 'PutSubscription' }>,
  state: SubscriptionState,
): readonly SubscriptionEvent[] {
  if (!exists(state)) return [{ type: 'SubscriptionCreated', v: 1, data: { ...spec, start: start ?? 'now', from } }];
  if (start !== undefined && start !== state.start) {
    throw new ConflictError(
      `start is ${state.start} and stays so: it says where the first event was taken from; delete the subscription to begin elsewhere`,
      'start',
    );
  }
  if ((spec.webhook === null) !== (state.spec.webhook === null)) {
    throw new ConflictError(
      'a subscription with a webhook cannot become one without, nor the other way round: delete it first',
      'webhook',
    );
  }
  return [
    ...(sameJson(spec, state.spec) ? [] : [{ type: 'SubscriptionChanged', v: 1, data: spec } as const]),
    ...(state.status === 'active' ? [] : [{ type: 'SubscriptionEnabled', v: 1, data: {} } as const]),
  ];
}

function ofNoSubscription(
  command: Exclude<SubscriptionCommand, { readonly type: 'PutSubscription' }>,
  { status }: SubscriptionState,
): readonly SubscriptionEvent[] {
  if (command.type === 'RecordDeadLetter' || command.type === 'RecordRedelivery') return []; // deleted meanwhile
  if (command.type === 'DeleteSubscription' && status === 'deleted') return [];
  throw new NotFoundError('subscription', command.name);
}

function exists(state: SubscriptionState): state is Existing {
  return state.status === 'active' || state.status === 'disabled';
}
