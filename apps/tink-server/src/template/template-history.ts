import { InvalidError, NotFoundError } from '@tinkerbell/domain';
import type { Recorded, TemplateEvent } from '@tinkerbell/events';
import type { EventStore } from '@tinkerbell/event-store';
import { structuredPatch } from 'diff';
import { streamOf, type Caller } from '../commands/caller';
import type { ReadSide } from '../read-side';
import type { TemplateCommands, TemplateWritten } from './template-commands';

/** One state of a template. Numbers grow and may have gaps: a deletion has one too. */
export interface TemplateVersionItem {
  readonly version: number;
  readonly name: string;
  readonly at: string;
  readonly actor: string;
  /** Of the text, in UTF-8. */
  readonly bytes: number;
  readonly isCurrent: boolean;
}

export interface TemplateDiff {
  readonly id: string;
  readonly from: number;
  readonly to: number;
  readonly name: { readonly from: string; readonly to: string };
  /** As `diff -u`; empty when the texts are the same. */
  readonly unified: string;
  readonly hunks: readonly unknown[];
}

type Saved = Recorded<Exclude<TemplateEvent, { readonly type: 'TemplateDeleted' }>>;

/** Every text that a template ever had, from the log itself. */
export class TemplateHistory {
  constructor(
    private readonly store: EventStore,
    private readonly reads: ReadSide,
    private readonly commands: TemplateCommands,
  ) {}

  /** Oldest first; with `reads` and `last` as it was at that position. `idOrName`: a deleted template only by its id. */
  async versions(idOrName: string, reads = this.reads, last = Infinity): Promise<readonly TemplateVersionItem[]> {
    const { id, saved } = await this.saved(idOrName, reads, last);
    const current = reads.templates.get(id)?.version;
    return saved.map(({ event, version, at, metadata }) => ({
      version,
      name: event.data.name,
      at,
      actor: metadata.actor,
      bytes: Buffer.byteLength(event.data.data),
      isCurrent: version === current,
    }));
  }

  async version(idOrName: string, number: number): Promise<unknown> {
    const { id, saved } = await this.saved(idOrName);
    const { event, version, at, metadata } = pick(saved, id, number);
    return { id, version, name: event.data.name, data: event.data.data, at, actor: metadata.actor };
  }

  /** Without numbers: from the one before the newest to the newest. */
  async diff(idOrName: string, from: number | undefined, to: number | undefined): Promise<TemplateDiff> {
    const { id, saved } = await this.saved(idOrName);
    const second = to === undefined ? saved.at(-1) : pick(saved, id, to);
    const before = saved.findLast(({ version }) => version < (second?.version ?? 0));
    const first = from === undefined ? (before ?? second) : pick(saved, id, from);
    if (!first || !second) throw new NotFoundError('template', idOrName);
    const { hunks } = structuredPatch('', '', first.event.data.data, second.event.data.data, '', '', { context: 3 });
    const title = ({ event, version, at }: Saved): string => `${event.data.name} version ${version}\t${at}`;
    const body = hunks.flatMap(({ oldStart, oldLines, newStart, newLines, lines }) => [
      `@@ -${oldStart},${oldLines} +${newStart},${newLines} @@`,
      ...lines,
    ]);
    return {
      id,
      from: first.version,
      to: second.version,
      name: { from: first.event.data.name, to: second.event.data.name },
      unified: hunks.length === 0 ? '' : `${[`--- ${title(first)}`, `+++ ${title(second)}`, ...body].join('\n')}\n`,
      hunks,
    };
  }

  /** The old text becomes the newest version; the name stays. A deleted template comes back under the name that it had then. */
  async restore(idOrName: string, number: number, caller: Caller): Promise<TemplateWritten> {
    const { id, saved } = await this.saved(idOrName);
    const { name, data } = pick(saved, id, number).event.data;
    const isDeleted = this.reads.templates.get(id) === undefined;
    return isDeleted ? this.commands.create({ id, name, data }, caller) : this.commands.update(id, { data }, caller);
  }

  private async saved(
    idOrName: string,
    reads = this.reads,
    last = Infinity,
  ): Promise<{ readonly id: string; readonly saved: readonly Saved[] }> {
    const { templates } = reads;
    const id = (templates.get(idOrName) ?? templates.find(`name:${idOrName}`))?.id ?? idOrName;
    const { events } = await this.store.read<TemplateEvent>(streamOf('template', id));
    const saved = events.filter(
      (recorded): recorded is Saved => recorded.event.type !== 'TemplateDeleted' && recorded.position <= last,
    );
    if (saved.length === 0) throw reads.missing('template', idOrName);
    return { id, saved };
  }
}

function pick(saved: readonly Saved[], id: string, number: number): Saved {
  const found = saved.find(({ version }) => version === number);
  if (found) return found;
  const known = saved.map(({ version }) => version).join(', ');
  throw new InvalidError('version', `template ${id} has no version ${number}; it has ${known}`);
}
