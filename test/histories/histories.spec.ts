import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  bootDecider,
  type Decider,
  enrolmentDecider,
  type ExistingWorkflow,
  hasEnded,
  hardwareDecider,
  leaseDecider,
  templateDecider,
  workflowDecider,
} from '@tinkerbell/domain';
import { type Aggregate, decodeEvent, type Event, type Recorded } from '@tinkerbell/events';
import { InMemoryEventStore, openReadModels } from '@tinkerbell/event-store';
import { hardwareList, leaseList, machineList, templateList, workflowList } from '@tinkerbell/projections';
import { describe, expect, it } from 'vitest';

// Recorded logs, replayed through today's code. A change that breaks one needs an upcaster, not a new recording.
const updating = process.env['UPDATE_FIXTURES'] === '1';
const names = readdirSync(__dirname)
  .filter((file) => file.endsWith('.jsonl'))
  .map((file) => file.slice(0, -'.jsonl'.length));

// eslint-disable-next-line @typescript-eslint/no-explicit-any -- deciders of any command, state and event
const deciders: Readonly<Record<string, Decider<any, any, any>>> = {
  hardware: hardwareDecider,
  template: templateDecider,
  workflow: workflowDecider,
  lease: leaseDecider,
  boot: bootDecider,
  enrolment: enrolmentDecider,
};

/** As it was recorded, through the upcasters of what was retired since. */
function read(name: string): readonly Recorded[] {
  const lines = readFileSync(join(__dirname, `${name}.jsonl`), 'utf8')
    .trim()
    .split('\n');
  return lines.map((line) => {
    const recorded = JSON.parse(line) as Recorded;
    return { ...recorded, event: decodeEvent(recorded.aggregate, recorded.event) };
  });
}

/** The same commits in a log in memory, stored at the times at which they were stored then. */
async function asLog(history: readonly Recorded[]): Promise<InMemoryEventStore> {
  let now = new Date(0);
  const store = new InMemoryEventStore({ now: () => now });
  for (let i = 0; i < history.length;) {
    const first = history[i];
    if (!first) break;
    const commit = history.filter(({ position }) => position === first.position);
    i += commit.length;
    now = new Date(first.at);
    const { head } = await store.read(first.stream);
    const events = commit.map(({ event }) => event);
    await store.append(first.stream, events, { expected: head, metadata: first.metadata });
  }
  return store;
}

/** What holds after every event. */
const invariants: Readonly<Partial<Record<Aggregate, (state: Record<string, unknown>) => void>>> = {
  workflow(state) {
    const { actions, status, created } = state as unknown as ExistingWorkflow;
    expect(actions).toHaveLength(created.actions.length);
    const running = actions.filter((action) => action.status === 'running');
    if (running.length > 0) expect(status).toBe('running');
    expect(status === 'success').toBe(actions.every((action) => hasEnded(action.status) && action.last !== 'failed'));
    // What was never started has no outcome.
    for (const { attempts, last } of actions) if (attempts === 0) expect(last).toBeNull();
  },
};

describe.each(names)('history %s', (name) => {
  const history = read(name);

  it('holds every aggregate, in the order of the log', () => {
    const positions = history.map(({ position, index }) => position * 1000 + index);
    expect(positions).toEqual([...positions].sort((a, b) => a - b));
    expect(new Set(history.map(({ aggregate }) => aggregate))).toEqual(new Set(Object.keys(deciders)));
  });

  it('is folded by today’s deciders, event by event', () => {
    const states = new Map<string, unknown>();
    for (const { stream, aggregate, event } of history) {
      const decider = deciders[aggregate];
      if (!decider) throw new Error(`no decider for ${aggregate}`);
      const before = states.get(stream) ?? decider.initial;
      const frozen = JSON.stringify(before);
      const after: unknown = decider.evolve(before, event as Event);
      expect(JSON.stringify(before), `${event.type} changed the state it was given`).toBe(frozen);
      invariants[aggregate as Aggregate]?.(after as Record<string, unknown>);
      states.set(stream, after);
    }
    expect(states.size).toBeGreaterThan(5);
  });

  it('gives the rows that it gave', async () => {
    const store = await asLog(history);
    const projections = {
      hardware: hardwareList,
      templates: templateList,
      workflows: workflowList,
      machines: machineList,
      leases: leaseList,
    };
    const { models, close } = await openReadModels({ store, file: ':memory:', projections });
    const listed = Object.fromEntries(Object.entries(models).map(([model, read]) => [model, read.list()]));
    await close();
    const file = join(__dirname, `${name}.rows.json`);
    const text = `${JSON.stringify(listed, null, 1)}\n`;
    const golden = existsSync(file) ? readFileSync(file, 'utf8') : '';
    if (updating) writeFileSync(file, text);
    // With UPDATE_FIXTURES=1 the file is new and the run fails all the same: nobody shall do that without looking.
    expect(JSON.parse(golden === '' ? '{}' : golden)).toEqual(listed);
  });
});
