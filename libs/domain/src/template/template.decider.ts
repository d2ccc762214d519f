import type { TemplateEvent } from '@tinkerbell/events';
import { assertNever, type Decider } from '../decider';
import { ConflictError, InvalidError, NotFoundError } from '../errors';

export type TemplateCommand =
  /** With the id of an existing template it changes that one; with the id of a deleted one it brings it back. */
  | { readonly type: 'CreateTemplate'; readonly name: string; readonly data: string }
  | { readonly type: 'UpdateTemplate'; readonly id: string; readonly name?: string; readonly data?: string }
  | { readonly type: 'DeleteTemplate'; readonly id: string }
  /** A commit that changes nothing: whatever was decided on the state before it can no longer be appended. */
  | { readonly type: 'FenceTemplate' };

export type TemplateState =
  { readonly status: 'none' | 'deleted' } | { readonly status: 'active'; readonly name: string; readonly data: string };

/** Bytes of UTF-8, as many as a template may have; a commit must fit into one message. */
export const maxTemplateBytes = 262_144;
const nameForm = /^[a-zA-Z0-9_-]{1,200}$/;

export const templateDecider: Decider<TemplateCommand, TemplateState, TemplateEvent> = {
  initial: { status: 'none' },
  decide(command, state) {
    switch (command.type) {
      case 'CreateTemplate':
        return change(state, checkedName(command.name), checkedData(command.data));
      case 'UpdateTemplate':
        if (state.status !== 'active') throw new NotFoundError('template', command.id);
        return change(state, checkedName(command.name ?? state.name), checkedData(command.data ?? state.data));
      case 'DeleteTemplate':
        if (state.status === 'none') throw new NotFoundError('template', command.id);
        return state.status === 'deleted' ? [] : [{ type: 'TemplateDeleted', v: 1, data: {} }];
      case 'FenceTemplate':
        if (state.status !== 'active') return [{ type: 'TemplateDeleted', v: 1, data: {} }];
        return [{ type: 'TemplateUpdated', v: 1, data: { name: state.name, data: state.data } }];
      default:
        return assertNever(command);
    }
  },
  evolve(_state, event) {
    switch (event.type) {
      case 'TemplateCreated':
      case 'TemplateUpdated':
        return { status: 'active', name: event.data.name, data: event.data.data };
      case 'TemplateDeleted':
        return { status: 'deleted' };
      default:
        return assertNever(event);
    }
  },
};

/** The name is taken by another template; undefined when it is free. `findByName`: the living template with that name. */
export function templateNameConflict(
  id: string,
  name: string,
  findByName: (name: string) => { readonly id: string } | undefined,
): ConflictError | undefined {
  const owner = findByName(name)?.id;
  return owner === undefined || owner === id ? undefined : templateNameTaken(name, owner);
}

export function templateNameTaken(name: string, owner: string): ConflictError {
  return new ConflictError(
    `template name ${name} is taken by template ${owner}: uidx_template_name (duplicate key)`,
    'name',
  );
}

function change(state: TemplateState, name: string, data: string): readonly TemplateEvent[] {
  if (state.status !== 'active') return [{ type: 'TemplateCreated', v: 1, data: { name, data } }];
  return state.name === name && state.data === data ? [] : [{ type: 'TemplateUpdated', v: 1, data: { name, data } }];
}

function checkedName(name: string): string {
  if (nameForm.test(name)) return name;
  throw new InvalidError('name', `template name ${JSON.stringify(name)} must be 1 to 200 of A-Z a-z 0-9 _ -`);
}

function checkedData(data: string): string {
  if (data.trim() === '') throw new InvalidError('data', 'template data cannot be empty');
  const bytes = new TextEncoder().encode(data).length;
  if (bytes <= maxTemplateBytes) return data;
  throw new InvalidError('data', `template data is ${bytes} bytes, more than ${maxTemplateBytes}`);
}
