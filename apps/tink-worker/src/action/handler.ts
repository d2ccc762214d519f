import { reportId, type HandlerReport } from '@tinkerbell/messaging';
import type { WorkerSettings } from '../settings';
import type { Attempt, AttemptPorts } from './attempt';
import { resultOf, type Ending, type Result } from './ending';
import { watchGoOn } from './go-on';
import { stopwatch } from './stopwatch';

export type Handler = 'on-failure' | 'on-timeout';

/** An `on-failure` or `on-timeout` command gets the action's time, but no more than this. */
const handlerSeconds = 600;

/** Which command follows this result of an action. */
export function handlerOf(
  { action }: Attempt['assignment'],
  ending: Ending,
  outcome: Result['outcome'],
): Handler | null {
  if (outcome === 'succeeded' || outcome === 'cancelled') return null;
  // Refused: the workflow is over for other reasons. No image: there is nothing to run the command in. No permit: nothing may run.
  if (ending.kind === 'refused') return null;
  if (ending.kind === 'broken' && (ending.reason === 'pull' || ending.reason === 'refused')) return null;
  if (ending.kind === 'timed-out' && action.onTimeout.length > 0) return 'on-timeout';
  return action.onFailure.length > 0 ? 'on-failure' : null;
}

/** Runs the command and delivers its report. Throws DetachedError. */
export async function runHandler(
  attempt: Attempt,
  handler: Handler,
  settings: WorkerSettings,
  ports: AttemptPorts,
  detach: AbortSignal,
): Promise<void> {
  const { workflowId, index, attempt: number, action } = attempt.assignment;
  const { reporter, journal, log } = ports;
  const id = reportId(workflowId, index, number, 'handler');
  let report = journal.report(id);
  if (!report) {
    log.stage(`action ${action.name}: running its ${handler} command`);
    const suffix = `_${handler}`;
    const output = attempt.output(suffix);
    const seconds = stopwatch(Date.now());
    const limitSeconds = Math.min(action.timeoutSeconds, handlerSeconds);
    const command = handler === 'on-timeout' ? action.onTimeout : action.onFailure;
    const ending = await runCommand(attempt, command, suffix, { output, limitSeconds, settings, ports, detach });
    const { exitCode, message } = resultOf(ending, '', output.lastError, limitSeconds, attempt.secrets.masked);
    const about = { workflowId, index, attempt: number, handler };
    const body: HandlerReport = { ...about, exitCode, seconds: seconds(), message };
    report = reporter.record('handler', id, body);
    log.info(`${handler} of ${action.name} ended with ${exitCode ?? message}`);
    await attempt.discard(attempt.container(suffix), output);
  }
  await reporter.deliver(report);
}

async function runCommand(
  attempt: Attempt,
  command: readonly string[],
  suffix: string,
  options: {
    readonly output: ReturnType<Attempt['output']>;
    readonly limitSeconds: number;
    readonly settings: WorkerSettings;
    readonly ports: AttemptPorts;
    readonly detach: AbortSignal;
  },
): Promise<Ending> {
  const { output, limitSeconds, settings, ports, detach } = options;
  const { workflowId, index, attempt: number } = attempt.assignment;
  const over = new AbortController();
  // That its action has ended stops no handler; that the workflow is cancelled does.
  const refused = watchGoOn(
    ports.server,
    ports.wake,
    settings.pace,
    { workflowId, index, attempt: number },
    over.signal,
    ({ cancelled }) => cancelled === true,
  );
  try {
    return await attempt.run({
      spec: attempt.spec(command, suffix),
      output,
      remainingMs: limitSeconds * 1000,
      prepare: () => Promise.resolve(),
      // The action is over: secrets that are not known by now are not to be had, and the command has to do without.
      admit: async (stop) => {
        await attempt.loadSecrets(stop);
        return { kind: 'admitted', environment: attempt.secrets.environment, startBeforeMs: Infinity };
      },
      refused,
      detach,
    });
  } finally {
    over.abort();
  }
}
