import 'reflect-metadata';
import { plainToInstance } from 'class-transformer';
import { validateSync } from 'class-validator';
import { describe, expect, it } from 'vitest';
import { PutSubscriptionDto } from '../subscriptions/subscription.dto';
import { CreateWorkflowDto } from '../workflow/workflow.dto';
import { FinishedReportDto, ReadyReportDto, StartedReportDto } from '../workers/worker-reports.dto';
import { NextRequestDto, PermitRequestDto, StateRequestDto } from '../workers/worker-rpc.dto';
import { checked } from './checked.dto';
import { isSurely } from './quick-check.dto';

const at = '2026-01-01T00:00:00.000Z';
const attempt = { workflowId: 'wf', index: 0, attempt: 1 };
const permit = { ...attempt, bootId: 'b', nonce: '0123456789abcdef', disks: ['x', 'y'] };
const finished = { outcome: 'failed', reason: 'exit', exitCode: 1, seconds: 1.5, finishedAt: at, message: 'm' };
const about = { workerVersion: '1', hostname: 'h', kernel: 'k', node: 'n', engine: 'e' };

const valid: readonly (readonly [new () => object, object])[] = [
  [StateRequestDto, attempt],
  [NextRequestDto, { bootId: 'b' }],
  [NextRequestDto, { bootId: 'b', busy: [] }],
  [PermitRequestDto, permit],
  [PermitRequestDto, { ...permit, disks: [] }],
  [StartedReportDto, { ...attempt, bootId: 'b', startedAt: at }],
  [FinishedReportDto, { ...attempt, ...finished, bootId: 'b', outputs: { a: { b: [1] } } }],
  [FinishedReportDto, { ...attempt, ...finished, outcome: 'succeeded', reason: null, exitCode: null }],
  [ReadyReportDto, { bootId: 'b', ...about, cpus: 2, memoryBytes: 1, uptimeSeconds: 0.5 }],
  [CreateWorkflowDto, { template: 't', hardware: { device_1: '52:54:00:00:00:01' } }],
];
const odd = [
  undefined,
  null,
  true,
  -1,
  0,
  1.5,
  1e9,
  '',
  'x',
  'x'.repeat(70_000),
  [],
  [1],
  ['x'],
  [[]],
  {},
  { a: 1 },
  at,
];
/** As any peer may send it: each field with everything, or missing, and fields that are not known. */
const variants = (value: object) => [
  value,
  ...Object.keys(value).flatMap((field) => odd.map((one) => ({ ...value, [field]: one }))),
  { ...value, more: 1 },
  JSON.parse(`{"__proto__":{"a":1},${JSON.stringify(value).slice(1)}`) as object,
  { ...value, constructor: 1 },
  { ...value, busy: [attempt] },
  { ...value, busy: [{}] },
  Object.create(value) as object,
];
const options = { whitelist: true, forbidNonWhitelisted: true, forbidUnknownValues: true };
const faults = (type: new () => object, value: object) => validateSync(plainToInstance(type, value), options);

describe('isSurely', () => {
  it.each(valid)('takes a valid %o', (type, value) => {
    expect(isSurely(type, value)).toBe(true);
    expect(checked(type, value, 'body')).toBeInstanceOf(type);
    expect(checked(type, value, 'body')).toEqual(plainToInstance(type, value));
  });
  it.each(valid)('takes of %o nothing in which class-validator finds a fault', (type, value) => {
    const taken = variants(value).filter((one) => isSurely(type, one));
    expect(taken.filter((one) => faults(type, one).length > 0)).toEqual([]);
    // And refuses no more than what has objects of other classes in it, or is no plain JSON.
    const left = variants(value).filter((one) => !isSurely(type, one) && faults(type, one).length === 0);
    const strange = ['busy', '__proto__', 'constructor'];
    expect(
      left.map(Object.keys).filter((keys) => keys.length > 0 && !keys.some((key) => strange.includes(key))),
    ).toEqual([]);
  });
  it('says nothing of objects within, nor of a class without rules', () => {
    const webhook = { url: 'https://example.org/', secret: 's'.repeat(32) };
    expect(isSurely(PutSubscriptionDto, { filters: [], webhook })).toBe(false);
    expect(isSurely(class {}, {})).toBe(false);
  });
});
