import { JetStreamEventStore, type Commit } from '@tinkerbell/event-store';
import { readLedger } from '../ledger';
import { compareReadModels } from './read-models';
import { compareReplicas } from './replicas';
import { violationsOf, type Violation } from './violations';

export interface CheckInput {
  readonly urls: readonly string[];
  readonly engine: { readonly servers: string; readonly ca: string; readonly creds: string };
  readonly ledger: string;
  /** The tink-servers' SQLite files; their processes have ended. */
  readonly readModels: readonly string[];
}

export interface Verdict {
  readonly violations: readonly Violation[];
  readonly facts: Readonly<Record<string, number>>;
}

/** Everything that can be checked once nothing runs any more. */
export async function check(input: CheckInput): Promise<Verdict> {
  const store = await JetStreamEventStore.connect({ ...input.engine, name: 'checker', allowLazySync: true });
  try {
    const ledger = readLedger(input.ledger);
    const commits = await wholeLog(store);
    const { copies, violations: replicas } = await compareReplicas(input.urls, input.engine);
    const models = await compareReadModels(store, input.readModels);
    const count = (type: string) =>
      commits.flatMap(({ events }) => events).filter(({ event }) => event.type === type).length;
    const twice = new Map<string, number>();
    for (const e of ledger)
      if (e.t === 'effect')
        twice.set(
          `${e.workflowId}:${e.index}:${e.attempt}`,
          (twice.get(`${e.workflowId}:${e.index}:${e.attempt}`) ?? 0) + 1,
        );
    return {
      violations: [...violationsOf(commits, ledger), ...replicas, ...models],
      facts: {
        commits: commits.length,
        workflows: count('WorkflowCreated'),
        'actions succeeded': count('ActionSucceeded'),
        'actions failed': count('ActionFailed'),
        'timed out by the server': count('ActionTimedOut'),
        'acknowledged creations': ledger.filter(({ t }) => t === 'created').length,
        'acknowledged reports': ledger.filter(({ t }) => t === 'report').length,
        effects: ledger.filter(({ t }) => t === 'effect').length,
        'effects that a twin repeated': [...twice.values()].filter((n) => n > 1).length,
        claims: count('ClaimTaken'),
        'copies compared': copies.length,
      },
    };
  } finally {
    await store.close();
  }
}

async function wholeLog(store: JetStreamEventStore): Promise<readonly Commit[]> {
  const last = await store.lastPosition();
  const commits: Commit[] = [];
  const enough = new AbortController();
  for await (const commit of store.subscribe({ after: 0, signal: enough.signal })) {
    commits.push(commit);
    if (commit.position >= last) enough.abort();
  }
  return commits;
}
