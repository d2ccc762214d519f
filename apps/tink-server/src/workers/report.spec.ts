import { InvalidDocumentError } from '@tinkerbell/domain';
import { describe, expect, it } from 'vitest';
import { MalformedJsonError } from '../http/json-text';
import { readReport, UnknownReportError } from './report';

const now = '2026-01-01T00:00:09.000Z';
const finished = {
  workflowId: 'wf',
  index: 1,
  attempt: 2,
  outcome: 'failed',
  reason: 'exit',
  exitCode: 17,
  seconds: 3.5,
  finishedAt: '2026-01-01T00:00:00.000Z',
  message: 'boom',
};
const read = (kind: string, body: unknown) => readReport('w1', kind, JSON.stringify(body), 'm1', now);

describe('readReport', () => {
  it('takes the worker from the subject and the command id from the content', () => {
    const { workflowId: _, ...rest } = finished;
    expect(read('finished', finished)).toEqual({
      aggregate: 'workflow',
      workflowId: 'wf',
      id: 'wf:1:2:finished',
      command: { type: 'FinishAction', workerId: 'w1', ...rest, now },
    });
  });

  it('refuses a worker id in the body', () =>
    expect(() => read('finished', { ...finished, workerId: 'w2' })).toThrow(InvalidDocumentError));

  it.each([
    ['index', -1],
    ['index', '1'],
    ['index', 1.5],
    ['attempt', 0],
    ['outcome', 'success'],
    ['reason', 'why'],
    ['exitCode', '17'],
    ['seconds', -1],
    ['seconds', null],
    ['finishedAt', 'yesterday'],
    ['message', 5],
    ['workflowId', 'a.b'],
    ['workflowId', undefined],
  ])('names %s when it is %j', (field, value) => {
    try {
      read('finished', { ...finished, [field]: value });
      expect.unreachable();
    } catch (error) {
      expect(error).toBeInstanceOf(InvalidDocumentError);
      expect(error).toHaveProperty('field', field);
    }
  });

  it.each(['', '{', 'null x'])('refuses %j', (text) =>
    expect(() => readReport('w1', 'started', text, 'm', now)).toThrow(MalformedJsonError),
  );
  it.each(['null', '[]', '"x"', '{}'])('refuses %s as a report', (text) =>
    expect(() => readReport('w1', 'started', text, 'm', now)).toThrow(InvalidDocumentError),
  );
  it('takes outputs up to 16 KiB and the boot that the attempt belongs to', () => {
    const outputs = { text: 'x'.repeat(16_384 - '{"text":""}'.length) };
    expect(read('finished', { ...finished, outputs, bootId: 'b' })).toMatchObject({
      command: { outputs, bootId: 'b' },
    });
    const more = { ...finished, outputs: { text: `${outputs.text}y` } };
    expect(() => read('finished', more)).toThrow('outputs: 16385 bytes are more than the 16384');
    expect(() => read('finished', { ...finished, outputs: [] })).toThrow('outputs');
  });
  it('refuses what is nested so deeply that whoever walks it fails, in any field', () => {
    const nested = (depth: number) => `${'['.repeat(depth)}${']'.repeat(depth)}`;
    const withField = (name: string, text: string) =>
      readReport(
        'w1',
        'finished',
        JSON.stringify({ ...finished, [name]: 0 }).replace(`"${name}":0`, `"${name}":${text}`),
        'm',
        now,
      );
    const deepest = `{"a":${nested(31)}}`;
    expect(withField('outputs', deepest)).toMatchObject({ command: { outputs: JSON.parse(deepest) } });
    for (const field of ['outputs', 'workflowId', 'other']) {
      for (const depth of [33, 8_000, 400_000])
        expect(() => withField(field, `{"a":${nested(depth)}}`)).toThrow(InvalidDocumentError);
    }
  });
  it('refuses a kind that does not exist', () => expect(() => read('stopped', finished)).toThrow(UnknownReportError));
});
