import type { AnyEvent } from '@tinkerbell/events';
import type { Color } from '../output/screen';

/** What an event means, in words. */
export interface Told {
  readonly text: string;
  readonly color?: Color;
}

/** Name of an action of a workflow; undefined while it is not known. */
export type ActionName = (workflowId: string, index: number) => string | undefined;

/** `action`: the name of the action that the event is about, '' when it is about none. `id`: of its aggregate. */
export type Tale<E extends AnyEvent> = (event: E, action: string, id: string) => Told;
export type Tales<E extends AnyEvent> = {
  readonly [T in E['type']]: Tale<Extract<E, { readonly type: T }>>;
};

export const good = (text: string): Told => ({ text, color: 'green' });
export const bad = (text: string): Told => ({ text, color: 'red' });
export const fine = (text: string): Told => ({ text });
export const busy = (text: string): Told => ({ text, color: 'yellow' });

/** `3 actions`, `1 action`. */
export function count(number: number, noun: string): string {
  return `${number} ${noun}${number === 1 ? '' : 's'}`;
}

export function size(bytes: number): string {
  if (bytes < 1e3) return count(bytes, 'byte');
  return bytes < 1e6 ? `${(bytes / 1e3).toFixed(1)} kB` : `${(bytes / 1e6).toFixed(1)} MB`;
}

export function because(message: string): string {
  return message === '' ? '' : ` (${message})`;
}
