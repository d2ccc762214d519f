import type { Assignment } from '@tinkerbell/messaging';
import { MessageTooLargeError } from '../bus/bus';
import { errorText, insist, type Pace } from '../pace';
import { RefusedError, ServerFaultError, type Server } from '../server';
import type { WorkflowFolder } from './workflow-folder';

const empty = '{}';

/** The version of the assignment, asked for until the server answers. A refusal counts as no data. */
export async function dataOf(
  server: Server,
  assignment: Pick<Assignment, 'workflowId' | 'dataVersion'>,
  pace: Pace,
  stop: AbortSignal,
  say: (line: string) => void,
): Promise<string> {
  const { workflowId, dataVersion: version } = assignment;
  if (version === 0) return empty;
  return insist(
    pace,
    stop,
    () =>
      orRefusal(server.dataGet({ workflowId, version }), (why) => say(`no ephemeral data: ${why}`)).then(
        (r) => r?.data ?? empty,
      ),
    (error, tries) => tries === 1 && say(`ephemeral data is not here yet: ${errorText(error)}`),
  );
}

/** Answers of the server that it failed itself; after so many the data is given up rather than the result held back. */
const maxServerFaults = 20;

/**
 * Sends what the action made of the ephemeral data, when that is a JSON object within the limit and differs from what it was given and from the
 * server's copy: an action that changed nothing does not undo what another one that ran beside it changed. Otherwise `say` hears why not. False when `stop` came before that was settled; never throws for what an action wrote.
 */
export async function sendData(
  server: Server,
  folder: WorkflowFolder,
  assignment: Pick<Assignment, 'workflowId' | 'index' | 'dataVersion'>,
  options: {
    readonly maxBytes: number;
    readonly pace: Pace;
    readonly stop: AbortSignal;
    readonly say: (line: string) => void;
  },
): Promise<boolean> {
  const { maxBytes, pace, stop, say } = options;
  const { workflowId, index, dataVersion: version } = assignment;
  const notSent = (why: string) => say(`ephemeral data is not sent: ${why}`);
  const data = await readObject(folder, maxBytes, notSent);
  if (data === undefined) return true;
  const send = async () => {
    const given = version === 0 ? empty : (await server.dataGet({ workflowId, version })).data;
    if (given === data) return;
    const stored = await server.dataGet({ workflowId });
    if (stored.data !== data) await server.dataPut({ workflowId, index, data });
  };
  const giveUp = new AbortController();
  let faults = 0;
  try {
    await insist(
      pace,
      AbortSignal.any([stop, giveUp.signal]),
      () => orRefusal(send(), notSent),
      (error, tries) => {
        if (tries === 1) say(`ephemeral data has to wait: ${errorText(error)}`);
        if (error instanceof ServerFaultError && ++faults >= maxServerFaults) giveUp.abort();
      },
    );
  } catch (error) {
    if (stop.aborted) return false;
    notSent(errorText(error));
  }
  return true;
}

async function readObject(
  folder: WorkflowFolder,
  maxBytes: number,
  notSent: (why: string) => void,
): Promise<string | undefined> {
  try {
    const text = await folder.readData(maxBytes);
    const fault = text === undefined ? undefined : faultOf(text);
    if (fault === undefined) return text;
    notSent(fault);
  } catch (error) {
    notSent(errorText(error));
  }
  return undefined;
}

function faultOf(text: string): string | undefined {
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) return undefined;
    return '/workflow/data is not a JSON object';
  } catch (error) {
    return `/workflow/data is not JSON: ${errorText(error)}`;
  }
}

async function orRefusal<T>(work: Promise<T>, refused: (why: string) => void): Promise<T | undefined> {
  try {
    return await work;
  } catch (error) {
    if (!(error instanceof RefusedError || error instanceof MessageTooLargeError)) throw error;
    refused(error.message);
    return undefined;
  }
}
