import type { AnyEvent } from '@tinkerbell/events';

/** How an event is meant, for those who show it in colour: nothing is told by it alone. */
export type Tone = 'neutral' | 'good' | 'bad' | 'warn' | 'active';

/** What an event means, in words. */
export interface Told {
  readonly text: string;
  readonly tone: Tone;
}

/** What a sentence needs beside the event. */
export interface About {
  /** Name of the action that the event is about, '' when it is about none. */
  readonly action: string;
  /** Of its aggregate. */
  readonly id: string;
  /** Which commit of its aggregate it is in. */
  readonly version: number;
  /** `by admin`. */
  readonly by: string;
}

export type Sentence<E extends AnyEvent> = (event: E, about: About) => Told;
export type Sentences<E extends AnyEvent> = {
  readonly [T in E['type']]: Sentence<Extract<E, { readonly type: T }>>;
};

export const neutral = (text: string): Told => ({ text, tone: 'neutral' });
export const good = (text: string): Told => ({ text, tone: 'good' });
export const bad = (text: string): Told => ({ text, tone: 'bad' });
export const warn = (text: string): Told => ({ text, tone: 'warn' });
export const active = (text: string): Told => ({ text, tone: 'active' });

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
