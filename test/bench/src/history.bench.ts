import { subjects } from '@tinkerbell/messaging';
import { figure, quantile, type Bench, type Figure } from './bench';
import { GeneratedLog, idOf, type Made } from './generated-log';
import { serveLog, timeRequests } from './serve-log';
// The builders alone: the rest of @tinkerbell/testing needs Vitest.
/* eslint-disable @nx/enforce-module-boundaries */
import {
  actionSpec,
  actionStarted,
  actionSucceeded,
  workflowCreated,
} from '../../../libs/testing/src/builders/workflow';
/* eslint-enable @nx/enforce-module-boundaries */

const workflows = 100_000;
const machines = 20_000;
const commits = 3 * workflows;
const requests = 300;
const target = 50;

/** Round by round, so that the commits of one workflow lie far apart: created, its action started and succeeded. */
function made(position: number): Made {
  const round = Math.floor((position - 1) / workflows);
  const number = (position - 1) % workflows;
  const workerId = idOf(`machine ${number % machines}`);
  const specs = [actionSpec({ workerId })];
  const event =
    round === 0 ? workflowCreated(specs) : round === 1 ? actionStarted(0) : actionSucceeded(0, { seconds: 5 });
  return { stream: subjects.stream('workflow', idOf(`workflow ${number}`)), version: round + 1, event };
}

/** Pages and things as they are and as they were, among 100,000 workflows, through tink-server over HTTP. */
export const history: Bench = {
  name: 'history',
  about: `/api/workflows with ?at= among ${workflows} workflows, over HTTP, against the target of ${target} ms and against now`,
  async run(progress) {
    const start = Date.UTC(2026, 0, 1);
    const log = new GeneratedLog(commits, made, { start, step: 10 });
    progress(`building the rows of ${commits} commits and their past`);
    const served = await serveLog(log);
    try {
      progress(`built in ${served.built.seconds.toFixed(1)} s`);
      // Any number of requests, and no two for the same place.
      const place = (i: number) => workflows + ((i * 48_611) % (2 * workflows));
      const after = (i: number) => idOf(`after ${i}`);
      const one = (i: number) => `/api/workflows/${idOf(`workflow ${(i * 7_919) % workflows}`)}`;
      const time = (i: number) => new Date(start + place(i) * 10).toISOString();
      const figures: Figure[] = [];
      const cases: readonly (readonly [string, (i: number) => string])[] = [
        ['list 50 now', (i) => `/api/workflows?limit=50&after=${after(i)}`],
        ['list 50 at a position', (i) => `/api/workflows?limit=50&after=${after(i)}&at=${place(i)}`],
        ['list 50 at a time', (i) => `/api/workflows?limit=50&after=${after(i)}&at=${time(i)}`],
        ['list 50 of a few', (i) => `/api/workflows?limit=50&at=${50 + i}`],
        ['get now', one],
        ['get at a position', (i) => `${one(i)}?at=${place(i)}`],
      ];
      for (const [name, path] of cases) {
        const { durations, cpu } = await timeRequests(requests, (i) => served.get(path(i)));
        for (const q of [0.5, 0.99]) {
          figures.push(figure(`${name} p${q * 100}`, quantile(durations, q), target, 'ms', cpu));
        }
      }
      return figures;
    } finally {
      await served.close();
    }
  },
};
