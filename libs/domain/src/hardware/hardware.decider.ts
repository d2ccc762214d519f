import type { HardwareEvent, HardwareRecord } from '@tinkerbell/events';
import { assertNever, type Decider } from '../decider';
import { NotFoundError } from '../errors';
import { sameJson } from '../same-json';

export type HardwareCommand =
  /** Upsert; the record comes from parseHardware. */
  | { readonly type: 'RegisterHardware'; readonly hardware: HardwareRecord }
  | { readonly type: 'DeleteHardware'; readonly id: string }
  /** A commit that changes nothing: whatever was decided on the state before it can no longer be appended. */
  | { readonly type: 'FenceHardware' };

export type HardwareState =
  { readonly status: 'none' | 'deleted' } | { readonly status: 'registered'; readonly hardware: HardwareRecord };

export const hardwareDecider: Decider<HardwareCommand, HardwareState, HardwareEvent> = {
  initial: { status: 'none' },
  decide(command, state) {
    switch (command.type) {
      case 'RegisterHardware': {
        const data = { hardware: command.hardware };
        if (state.status !== 'registered') return [{ type: 'HardwareRegistered', v: 4, data }];
        return sameJson(state.hardware, command.hardware) ? [] : [{ type: 'HardwareUpdated', v: 4, data }];
      }
      case 'DeleteHardware':
        if (state.status === 'none') throw new NotFoundError('hardware', command.id);
        return state.status === 'deleted' ? [] : [{ type: 'HardwareDeleted', v: 1, data: {} }];
      case 'FenceHardware':
        if (state.status !== 'registered') return [{ type: 'HardwareDeleted', v: 1, data: {} }];
        return [{ type: 'HardwareUpdated', v: 4, data: { hardware: state.hardware } }];
      default:
        return assertNever(command);
    }
  },
  evolve(_state, event) {
    switch (event.type) {
      case 'HardwareRegistered':
      case 'HardwareUpdated':
        return { status: 'registered', hardware: event.data.hardware };
      case 'HardwareDeleted':
        return { status: 'deleted' };
      default:
        return assertNever(event);
    }
  },
};
