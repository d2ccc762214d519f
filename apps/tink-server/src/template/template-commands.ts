import {
  templateDecider,
  templateNameConflict,
  templateNameTaken,
  type TemplateCommand,
  type TemplateState,
} from '@tinkerbell/domain';
import type { TemplateEvent } from '@tinkerbell/events';
import { handle, type EventStore, type Handled } from '@tinkerbell/event-store';
import type { TemplateRow } from '@tinkerbell/projections';
import { checkTemplate } from '@tinkerbell/template';
import { Claims } from '../claims/claims';
import { metadataFor, newId, streamOf, type Caller } from '../commands/caller';
import { Turns } from '../commands/turns';
import type { ReadSide } from '../read-side';

export interface TemplateWritten extends Handled {
  readonly id: string;
}

/** Writes templates. Names are unique among those that are not deleted; as with hardware, they are claimed and writers take turns. */
export class TemplateCommands {
  private readonly turns = new Turns();
  private readonly claims: Claims<TemplateCommand, TemplateState, TemplateEvent>;

  constructor(
    private readonly store: EventStore,
    private readonly reads: ReadSide,
  ) {
    this.claims = new Claims(store, {
      decider: templateDecider,
      fence: { type: 'FenceTemplate' },
      stream: (id) => streamOf('template', id),
      has: (state, { value }) => state.status === 'active' && state.name === value,
      conflict: ({ value }, owner) => templateNameTaken(value, owner),
    });
  }

  /** With the id of an existing or deleted template: an update that brings it back. Throws InvalidDocumentError, ConflictError. */
  create({ id, name, data }: { id?: string; name: string; data: string }, caller: Caller): Promise<TemplateWritten> {
    checkTemplate(data);
    const target = id === undefined || id === '' ? newId(caller, 'template.create') : id;
    return this.turns.run(() => this.named(target, name, { type: 'CreateTemplate', name, data }, 'create', caller));
  }

  update(id: string, change: { name?: string; data?: string }, caller: Caller): Promise<TemplateWritten> {
    if (change.data !== undefined) checkTemplate(change.data);
    return this.turns.run(() =>
      this.named(id, change.name, { type: 'UpdateTemplate', id, ...change }, 'update', caller),
    );
  }

  delete(idOrName: string, caller: Caller): Promise<TemplateWritten> {
    return this.turns.run(async () => {
      await this.reads.atLeast(await this.store.lastPosition());
      const { templates } = this.reads;
      const id = (templates.get(idOrName) ?? templates.find(`name:${idOrName}`))?.id ?? idOrName;
      return this.write(id, { type: 'DeleteTemplate', id }, 'delete', caller);
    });
  }

  private async named(
    id: string,
    name: string | undefined,
    command: TemplateCommand,
    verb: string,
    caller: Caller,
  ): Promise<TemplateWritten> {
    await this.reads.atLeast(await this.store.lastPosition());
    const conflict =
      name === undefined
        ? undefined
        : templateNameConflict(id, name, (taken) => this.reads.templates.find(`name:${taken}`));
    if (conflict) throw conflict;
    return this.write(id, command, verb, caller, name);
  }

  private async write(
    id: string,
    command: TemplateCommand,
    verb: string,
    caller: Caller,
    name?: string,
  ): Promise<TemplateWritten> {
    const metadata = metadataFor(caller, `template.${verb}:${id}`);
    const handled = await handle(
      this.store,
      templateDecider,
      streamOf('template', id),
      command,
      metadata,
      (state, head) => {
        const isNew = name !== undefined && !(state.status === 'active' && state.name === name);
        return this.claims.take(id, head, isNew ? [{ kind: 'template-name', value: name }] : [], metadata);
      },
    );
    await this.reads.settle(handled.position);
    return { id, ...handled };
  }
}

/** By id, or by name when there is no such id. */
export function findTemplate(reads: ReadSide, idOrName: string): TemplateRow {
  const row = reads.templates.get(idOrName) ?? reads.templates.find(`name:${idOrName}`);
  if (!row) throw reads.missing('template', idOrName);
  return row;
}
