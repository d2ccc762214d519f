import type { WorkflowEvent } from './workflow.events';

const workerId = '9f0b4e4e-8f0c-4b9a-9a55-3d3f0c1a0001';
const bootId = 'd4f5a2de-4f0a-4b8e-90c6-7f1a7b6d0003';
const attempt = { index: 0, attempt: 1, workerId };

/** The part of samples.ts that tells of a workflow's less usual days. */
export const workflowSamples = {
  ActionAttemptFailed: {
    type: 'ActionAttemptFailed',
    v: 1,
    data: {
      ...attempt,
      seconds: 4.5,
      outcome: 'failed',
      reason: 'exit',
      exitCode: 75,
      message: 'the image server is busy',
      retryAt: '2026-11-23T19:00:20.000Z',
    },
  },
  ActionSkipped: {
    type: 'ActionSkipped',
    v: 1,
    data: { index: 1, by: 'condition', reason: "outputs.probe.firmware == 'uefi' is false" },
  },
  ActionInherited: {
    type: 'ActionInherited',
    v: 1,
    data: {
      index: 0,
      workflowId: '1f0fbd1e-1a40-4a9b-8d1a-8a3a4f0b0009',
      seconds: 12.5,
      outputs: { disk: '/dev/vda' },
    },
  },
  ActionApprovalRequested: {
    type: 'ActionApprovalRequested',
    v: 1,
    data: { index: 1, message: 'Wipe /dev/vda of machine-1?' },
  },
  ActionApproved: { type: 'ActionApproved', v: 1, data: { index: 1, reason: 'ticket 4711' } },
  ActionRejected: { type: 'ActionRejected', v: 1, data: { index: 1, reason: 'still in use' } },
  ActionOutcomeUnknown: {
    type: 'ActionOutcomeUnknown',
    v: 1,
    data: {
      ...attempt,
      bootId,
      seconds: 31,
      message: 'the machine was started anew while the action ran',
    },
  },
  ActionOutcomeResolved: {
    type: 'ActionOutcomeResolved',
    v: 1,
    data: { index: 0, attempt: 1, as: 'restart', by: 'operator', reason: 'the disk is empty' },
  },
  ActionPermitGranted: {
    type: 'ActionPermitGranted',
    v: 1,
    data: {
      ...attempt,
      bootId,
      nonce: '3f9c1d5e7a2b4c60',
      disks: ['S4EWNX0R123456'],
      expiresAt: '2026-11-23T19:01:00.000Z',
    },
  },
  ActionCancelled: {
    type: 'ActionCancelled',
    v: 1,
    data: { ...attempt, seconds: 8, confirmed: true, message: 'stopped' },
  },
  WorkflowPaused: { type: 'WorkflowPaused', v: 1, data: { reason: 'maintenance of the image server' } },
  WorkflowResumed: { type: 'WorkflowResumed', v: 1, data: { reason: '' } },
  WorkflowCancelRequested: { type: 'WorkflowCancelRequested', v: 1, data: { reason: 'wrong machine' } },
  WorkflowFinished: {
    type: 'WorkflowFinished',
    v: 1,
    data: { status: 'failed', index: 0, reason: 'os-installation/stream-image failed' },
  },
  MachinesTaken: {
    type: 'MachinesTaken',
    v: 2,
    data: { workerIds: [workerId, '11111111-3772-4b4a-ab9f-6ebe93b90a95'], index: 0 },
  },
  WorkflowDelayed: {
    type: 'WorkflowDelayed',
    v: 1,
    data: {
      cause: 'machine-never-booted',
      workerId,
      afterSeconds: 600,
      message: 'machine-1 has not asked for an address since the workflow was created',
    },
  },
  ReportRefused: {
    type: 'ReportRefused',
    v: 1,
    data: {
      kind: 'finished',
      index: 0,
      attempt: 1,
      workerId,
      outcome: 'succeeded',
      code: 'ILLEGAL_TRANSITION',
      message: 'action 0 is recorded as timed-out',
    },
  },
} as const satisfies { readonly [T in WorkflowEvent['type']]?: Extract<WorkflowEvent, { readonly type: T }> };
