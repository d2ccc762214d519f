import type { Usual } from '@tinkerbell/projections';
import { took } from '../duration-text';
import type { Expectation, Explanation } from './explanation';

/** An explanation in sentences, a line each, with headings in between. */
export function tellExplanation({ at, state, causes, waiting, expected }: Explanation): readonly string[] {
  return [
    state,
    '',
    'How it came to this:',
    ...(causes.length === 0 ? ['  nothing was recorded'] : causes.map((cause) => `  ${cause.at}  ${cause.text}`)),
    ...(waiting ? ['', 'What it waits for:', `  ${waiting.text} (for ${past(waiting.since, at)} now)`] : []),
    '',
    'What comes next:',
    ...(expected.length === 0 ? ['  nothing, until somebody wants something'] : expected.map((one) => next(one, at))),
  ];
}

function next({ text, by, since, usual }: Expectation, now: string): string {
  const limit = by === null ? '' : ` By ${by}, ${until(by, now)}.`;
  const soFar = since === null ? '' : ` It has taken ${past(since, now)} so far.`;
  return `  ${text}.${limit}${usual === null ? '' : ` ${usually(usual)}`}${soFar}`;
}

function usually({ median, p90, count }: Usual): string {
  const most = count < 10 ? '' : `, 9 of 10 took at most ${took(p90)}`;
  return `It usually takes ${took(median)} (median of ${count}${most}).`;
}

function until(by: string, now: string): string {
  const seconds = (Date.parse(by) - Date.parse(now)) / 1000;
  return seconds >= 0 ? `in ${took(seconds)}` : `which was ${took(-seconds)} ago`;
}

const past = (since: string, now: string) => took(Math.max(0, (Date.parse(now) - Date.parse(since)) / 1000));
