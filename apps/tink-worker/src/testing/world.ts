import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ActionSpec } from '@tinkerbell/events';
import { afterEach, beforeEach } from 'vitest';
import { FakeBus } from '../bus/fake';
import { FakeContainers } from '../containers/fake';
import { FakeServer, workflowId, type FakePlan } from './fake-server';
import { Crash, Life, type Probe } from './life';

let directory = '';
const lives: Life[] = [];
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'tink-loop-'));
});
afterEach(async () => {
  await Promise.all(lives.splice(0).map(({ loop, dead }) => dead || loop.stop()));
  rmSync(directory, { recursive: true, force: true });
});

/** A file in the workflow's folder. */
export const folder = (name: string) => join(directory, 'worker', workflowId, name);

/** The disk of all lives in one test. */
export const disk = () => directory;

/** A server, an engine and a bus, and the lives of a worker between them; a container leaves its name in `effects`. */
export function world(actions: readonly ActionSpec[], plans: readonly FakePlan[] = []) {
  const bus = new FakeBus();
  const server = new FakeServer(actions, plans);
  const containers = new FakeContainers();
  const effects: string[] = [];
  containers.behaviour = async ({ spec, write }) => {
    effects.push(spec.name);
    write('stdout', `${spec.name} one\ntwo\n`);
    write('stderr', 'three');
    return 0;
  };
  bus.onPublish = (message) => server.take(message);
  bus.answer = (subject, body) => server.answer(subject, body);
  const live = (probe?: Probe, more?: ConstructorParameters<typeof Life>[4]) => {
    const life = new Life(directory, bus, containers, probe, more);
    lives.push(life);
    return life;
  };
  const start = (...args: Parameters<typeof live>) => {
    const life = live(...args);
    const ended = life.loop.run().catch((error: unknown) => (error instanceof Crash ? false : Promise.reject(error)));
    return { life, ended };
  };
  const done = (life: Life) => bus.until(() => server.over && life.log.lines.some((line) => line.startsWith('idle')));
  return { bus, server, containers, effects, live, start, done };
}
