import {
  hardwareDeleted,
  hardwareId,
  hardwareRecord,
  hardwareRegistered,
  hardwareUpdated,
  specify,
} from '@tinkerbell/testing';
import { describe, it } from 'vitest';
import { hardwareDecider } from './hardware.decider';

const given = specify(hardwareDecider);
const register = (version = 0) => ({ type: 'RegisterHardware', hardware: hardwareRecord({ version }) }) as const;
const remove = { type: 'DeleteHardware', id: hardwareId } as const;

describe('hardware', () => {
  it('registers what it does not know', () => given().when(register()).then(hardwareRegistered()));
  it('updates what differs', () =>
    given(hardwareRegistered())
      .when(register(2))
      .then(hardwareUpdated(hardwareRecord({ version: 2 }))));
  it('compares with the newest record', () =>
    given(hardwareRegistered(), hardwareUpdated(hardwareRecord({ version: 2 })))
      .when(register(2))
      .thenNothing());
  it('does nothing for an equal record, whatever the order of its keys', () =>
    given(hardwareRegistered(hardwareRecord({ metadata: { a: 1, b: [{ c: 2, d: null }] } })))
      .when({
        type: 'RegisterHardware',
        hardware: hardwareRecord({ metadata: { b: [{ d: null, c: 2 }], a: 1 } }),
      })
      .thenNothing());
  it('registers again after a deletion, even the same record', () =>
    given(hardwareRegistered(), hardwareDeleted()).when(register()).then(hardwareRegistered()));
  it('deletes once', () => {
    given(hardwareRegistered()).when(remove).then(hardwareDeleted());
    given(hardwareRegistered(), hardwareDeleted()).when(remove).thenNothing();
  });
  it('cannot delete what never was', () =>
    given().when(remove).thenThrows('NOT_FOUND', `hardware ${hardwareId} not found`));
});
