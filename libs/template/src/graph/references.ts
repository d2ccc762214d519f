import { ancestorsOf, ExpressionError, nearest, parseExpression, referencesOf } from '@tinkerbell/domain';
import type { Draft, Report } from './expand-graph';
import type { PlacedText } from './graph-template';

/** `${{ expression }}` in the texts that a worker is given. */
const filledIn = /\$\{\{(.*?)\}\}/gs;
/** What stands behind `actions` or `outputs`: `['id']`, `["id"]` or `.id`. */
const subject = /\s*(?:\[\s*('(?:[^']|'')*'|"(?:[^"]|"")*")\s*\]|\.\s*([A-Za-z_][A-Za-z0-9_-]*))/y;

/** Checks what an action's texts say of other actions, and writes out the ids that they leave short. */
export class References {
  private readonly byId: ReadonlyMap<string, number>;

  constructor(
    private readonly drafts: readonly Draft[],
    private readonly report: Report,
  ) {
    this.byId = new Map(drafts.map(({ id }, index) => [id, index]));
  }

  /** An action's `if`, joined with that of its task; '' when neither says anything. */
  condition(index: number, conditions: readonly PlacedText[]): string {
    const texts = conditions.map((condition) => this.expression(index, condition, unwrapped(condition.text)));
    return texts.length > 1 ? texts.map((text) => `(${text})`).join(' && ') : (texts[0] ?? '');
  }

  /** A text with `${{ }}` in it. */
  text(index: number, placed: PlacedText): string {
    return placed.text.replace(
      filledIn,
      (_all, expression: string) => `\${{ ${this.expression(index, placed, expression.trim())} }}`,
    );
  }

  private expression(index: number, { place, isOpen }: PlacedText, text: string): string {
    if (isOpen) return text;
    try {
      const references = referencesOf(parseExpression(text));
      // From the end, so that the places of those before it stay.
      return [...references]
        .sort((a, b) => b.at - a.at)
        .reduce((written, { action, at }) => this.writeOut(index, place, written, action, at), text);
    } catch (error) {
      if (!(error instanceof ExpressionError)) throw error;
      this.report(place, `invalid expression ${JSON.stringify(text)}: ${error.message}`);
      return text;
    }
  }

  private writeOut(index: number, place: PlacedText['place'], text: string, action: string, at: number): string {
    const root = /^\w+/.exec(text.slice(at))?.[0] ?? '';
    subject.lastIndex = at + root.length;
    const end = at + root.length + (subject.exec(text)?.[0].length ?? 0);
    const target = this.find(index, action);
    if (target === undefined) {
      this.report(place, `${root}['${action}']: ${this.unknown(action)}`);
      return text;
    }
    const { id = '' } = this.drafts[target] ?? {};
    if (!ancestorsOf(index, this.plans()).includes(target)) {
      const own = this.drafts[index]?.id ?? '';
      const why =
        target === index ? 'an action cannot ask about itself' : `${own} does not wait for it: add it to needs`;
      this.report(place, `${root}['${action}']: ${why}`);
    }
    return `${text.slice(0, at)}${root}['${id.replaceAll("'", "''")}']${text.slice(end)}`;
  }

  /** By id; by `task/name` in the same instance of a matrix; by the name alone in the same task. */
  private find(index: number, action: string): number | undefined {
    const own = this.drafts[index];
    const exact = this.byId.get(action);
    if (exact !== undefined || !own) return exact;
    const [task, name] = action.includes('/') ? [action.replace(/\/.*$/s, ''), action.replace(/^.*?\//s, '')] : [];
    if (task === undefined) return this.byId.get(`${own.instance}/${action}`);
    if (own.device === null) return undefined;
    const device = task.endsWith('[same]') ? task.slice(0, -'[same]'.length) : task;
    return this.byId.get(`${device}[${own.device.text}]/${name ?? ''}`);
  }

  private unknown(action: string): string {
    const instances = this.drafts.filter(({ device, taskName, action: { name } }) => {
      return device !== null && `${taskName}/${name.text}` === action;
    });
    if (instances.length > 0)
      return `it is run for several devices: write ${instances.map(({ id }) => id).join(' or ')}`;
    const near = nearest(action, [...this.byId.keys(), ...this.drafts.map((draft) => draft.action.name.text)]);
    return `there is no action ${action}${near === undefined ? '' : `; did you mean ${near}?`}`;
  }

  private plans(): readonly { readonly needs: readonly number[] }[] {
    return this.drafts;
  }
}

/** `if: ${{ x }}` says the same as `if: x`. */
function unwrapped(text: string): string {
  return /^\s*\$\{\{((?:(?!\}\}).)*)\}\}\s*$/s.exec(text)?.[1]?.trim() ?? text.trim();
}
