import type { SecretEvent } from '@tinkerbell/events';
import { assertNever, type Decider } from '../decider';
import { InvalidError, NotFoundError } from '../errors';

export type SecretCommand =
  /** `entry`: where the sealed value has been put. */
  | { readonly type: 'SetSecret'; readonly name: string; readonly entry: string }
  | { readonly type: 'DeleteSecret'; readonly name: string };

export interface SecretState {
  readonly status: 'none' | 'active' | 'deleted';
  /** Of the last value. */
  readonly version: number;
  /** Empty when there is no value. */
  readonly entry: string;
}

const nameForm = /^[a-z0-9-]{1,64}$/;
const entryForm = /^[0-9a-f]{32}$/;

/** Names of secrets; what is asked for with another form is not there. */
export function isSecretName(name: string): boolean {
  return nameForm.test(name);
}

export const secretDecider: Decider<SecretCommand, SecretState, SecretEvent> = {
  initial: { status: 'none', version: 0, entry: '' },
  decide(command, state) {
    switch (command.type) {
      case 'SetSecret':
        if (!isSecretName(command.name)) {
          throw new InvalidError(
            'name',
            `secret name ${JSON.stringify(command.name.slice(0, 80))} must be 1 to 64 of a-z 0-9 -`,
          );
        }
        if (!entryForm.test(command.entry)) throw new InvalidError('entry', 'entry must be 32 hex digits');
        return [{ type: 'SecretSet', v: 1, data: { version: state.version + 1, entry: command.entry } }];
      case 'DeleteSecret':
        if (state.status === 'none') throw new NotFoundError('secret', command.name);
        return state.status === 'deleted' ? [] : [{ type: 'SecretDeleted', v: 1, data: {} }];
      default:
        return assertNever(command);
    }
  },
  evolve(state, event) {
    switch (event.type) {
      case 'SecretSet':
        return { status: 'active', ...event.data };
      case 'SecretDeleted':
        return { ...state, status: 'deleted', entry: '' };
      default:
        return assertNever(event);
    }
  },
};
