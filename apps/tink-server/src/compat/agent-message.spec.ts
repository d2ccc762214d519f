import { InvalidError } from '@tinkerbell/domain';
import { actionSpec } from '@tinkerbell/testing';
import { describe, expect, it } from 'vitest';
import { actionId, actionResponse, agentCommand, parseActionId, type AgentStatusMessage } from './agent-message';

const now = '2026-01-01T00:00:00.000Z';
const spec = actionSpec({ task: 't', name: 'a', workerId: 'w', pid: 'host', timeoutSeconds: 90 });
const report = (over: Partial<AgentStatusMessage> = {}): AgentStatusMessage => ({
  workflow_id: 'wf',
  agent_id: 'w',
  task_id: 't',
  action_id: 'wf.0.1',
  action_name: 'a',
  action_state: 'SUCCESS',
  execution_start: null,
  execution_stop: null,
  execution_duration: '',
  message: null,
  ...over,
});
const at = (seconds: number, nanos = 0) => ({ seconds, nanos });

describe('an action id', () => {
  it.each([
    ['wf', 0, 1],
    ['0eba0bf8-3772-4b4a-ab9f-000000000001', 12, 3],
  ])('of %s, %i, %i can be read again', (workflowId, index, attempt) => {
    const ref = { workflowId, index, attempt };
    expect(parseActionId(actionId(ref), workflowId)).toEqual(ref);
  });
  it.each(['', 'wf', 'wf.0', 'wf.0.0', 'wf.01.1', 'other.0.1', 'wf.-1.1', 'wf.0.1.', 'wf.0.1 '])(
    '%j is refused',
    (text) => expect(() => parseActionId(text, 'wf')).toThrow(InvalidError),
  );
});

it('an assignment names the agent as it called itself, and its namespaces', () =>
  expect(
    actionResponse(
      {
        ...{ kind: 'assignment', workflowId: 'wf', index: 0, attempt: 2, total: 1, action: spec, dataVersion: 0 },
        ...{ destructive: false, resumed: false, secretNames: [] },
      },
      '08:00:27:00:00:01',
    ),
  ).toMatchObject({
    ...{ workflow_id: 'wf', task_id: 't', agent_id: '08:00:27:00:00:01', action_id: 'wf.0.2', timeout: 90 },
    ...{ pid: 'host', namespaces: { network: '', pid: 'host' } },
  }));

describe('a report', () => {
  const command = (over: Partial<AgentStatusMessage>) => agentCommand(report(over), 'w', [spec], now);

  it("of a start takes Go's zero time for none", () =>
    expect(command({ action_state: 'RUNNING', execution_start: at(-62_135_596_800) })).toEqual({
      ...{ type: 'StartAction', index: 0, attempt: 1, workerId: 'w', bootId: 'grpc', startedAt: now },
    }));
  it.each([
    ['SUCCESS', { outcome: 'succeeded', reason: null }],
    ['FAILED', { outcome: 'failed', reason: 'exit' }],
    ['TIMEOUT', { outcome: 'timed-out', reason: null }],
  ])('of %s', (action_state, wanted) =>
    expect(command({ action_state, message: { message: 'm' } })).toMatchObject({
      ...{ type: 'FinishAction', index: 0, attempt: 1, workerId: 'w', message: 'm', finishedAt: now },
      ...wanted,
    }),
  );
  it('takes the seconds between start and stop, never less than none', () => {
    const times = { execution_start: at(1_700_000_000), execution_stop: at(1_700_000_002, 500_000_000) };
    const finishedAt = '2023-11-14T22:13:22.500Z';
    expect(command({ ...times, execution_duration: '9h' })).toMatchObject({ seconds: 2.5, finishedAt });
    expect(command({ execution_start: times.execution_stop, execution_stop: times.execution_start })).toMatchObject({
      seconds: 0,
    });
  });
  it.each([
    ['1h2m', 3720],
    ['2m3s', 123],
    ['4s500ms', 4.5],
    ['250ms', 0.25],
    ['', 0],
    ['soon', 0],
  ])('without them takes the duration %j', (execution_duration, seconds) =>
    expect(command({ execution_duration })).toMatchObject({ seconds: expect.closeTo(seconds, 6) }),
  );
  it.each([
    [{ task_id: 'x' }, 'task_id'],
    [{ action_name: 'x' }, 'action_name'],
    [{ action_id: 'wf.1.1' }, 'action_id'],
    [{ action_id: 'x.0.1' }, 'action_id'],
    [{ action_state: 'PENDING' }, 'action_state'],
    [{ action_state: 'UNSPECIFIED' }, 'action_state'],
  ])('with %j is refused', (over, field) =>
    expect(() => command(over)).toThrow(expect.objectContaining({ code: 'INVALID', field })),
  );
});
