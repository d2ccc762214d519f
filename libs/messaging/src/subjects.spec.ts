import { describe, expect, it } from 'vitest';
import {
  parseLogSubject,
  parseMachineLogSubject,
  parseStream,
  parseWorkerSubject,
  SubjectTokenError,
  subjects,
  workerPermissions,
} from './subjects';

describe('subjects', () => {
  it('names an aggregate and reads it back', () => {
    const subject = subjects.stream('lease', 'rack-1');
    expect(subject).toBe('tink.ev.default.lease.rack-1');
    expect(parseStream(subject)).toEqual({ tenant: 'default', aggregate: 'lease', id: 'rack-1' });
  });

  it.each(['', '*', '>', 'a.b', 'a b', 'ä', 'x'.repeat(65), '../x', 'a\n'])('refuses %j as a token', (text) => {
    expect(() => subjects.stream('workflow', text)).toThrow(SubjectTokenError);
    expect(() => subjects.report(text, 'ready')).toThrow(SubjectTokenError);
    expect(() => workerPermissions(text)).toThrow(SubjectTokenError);
  });

  it('reads the worker out of a report and a call, and nothing out of anything else', () => {
    expect(parseWorkerSubject('tink.in.wk.w1.finished')).toEqual({ workerId: 'w1', kind: 'finished' });
    expect(parseWorkerSubject('tink.rpc.wk.w1.next')).toEqual({ workerId: 'w1', kind: 'next' });
    expect(parseWorkerSubject('tink.in.wk.w1.finished.more')).toBeUndefined();
    expect(parseWorkerSubject('tink.ev.wk.w1.finished')).toBeUndefined();
  });

  it('reads an action out of a log subject', () => {
    expect(parseLogSubject(subjects.log('w1', 'wf', 12))).toEqual({ workerId: 'w1', workflowId: 'wf', index: 12 });
    expect(parseLogSubject('tink.log.default.w1.wf.x')).toBeUndefined();
    expect(parseLogSubject(subjects.machineLog('hw', 'wf'))).toBeUndefined();
    expect(parseMachineLogSubject(subjects.machineLog('hw', 'wf'))).toEqual({ hardwareId: 'hw', workflowId: 'wf' });
    expect(parseMachineLogSubject(subjects.machineLog('hw'))).toEqual({ hardwareId: 'hw', workflowId: null });
    expect(parseMachineLogSubject(subjects.log('w1', 'wf', 12))).toBeUndefined();
  });

  it('lets a worker publish and subscribe on nothing but its own subjects', () => {
    const { publish, subscribe } = workerPermissions('w1');
    for (const subject of [...publish, ...subscribe]) expect(subject).toMatch(/\bw1\b|_wk_w1\./);
  });
});
