import { describe, expect, it } from 'vitest';
import type { WorkflowItem } from '../api-types';
import { testNow } from '../testing/run-tink';
import { actionRow, hardwareId, workflowId, workflowItem } from '../testing/samples';
import { plainChanges } from './workflow-changes';
import { frame } from './workflow-frame';
import { notesOf } from './workflow-notes';

const screen = { isTty: true, color: false, columns: 78, rows: 40, write: () => undefined };
const retry = { limit: 3, delaySeconds: 30, factor: 2, maxDelaySeconds: 600, exitCodes: null, onTimeout: true };
const texts = (over: Partial<WorkflowItem>) => notesOf(workflowItem(over), testNow).map(({ text }) => text);

describe('notes on a workflow', () => {
  it('say where it stands in the queue of its machine', () => {
    const queue = { workerId: hardwareId, behind: 'w1', position: 2 };
    expect(texts({ status: 'pending', queue, waiting: 'workflow w1 on machine m, position 2 in its queue' })).toEqual([
      'waiting for workflow w1 on this machine, position 2',
    ]);
    expect(texts({ waiting: 'the worker is not connected' })).toEqual(['waiting: the worker is not connected']);
  });

  it('name what a person has to do', () => {
    const actions = [
      actionRow({ name: 'wipe', status: 'awaiting-approval', message: 'wipe the\ndisk?' }),
      actionRow({ name: 'it is', status: 'unknown', attempt: 1, message: 'gone' }),
    ];
    const notes = notesOf(workflowItem({ actions, paused: true, waiting: 'x' }), testNow);
    expect(notes.map(({ text, command }) => [text, command])).toEqual([
      ['paused: nothing further of it starts', `tink workflow resume ${workflowId}`],
      ['wipe awaits approval (or "tink workflow reject"): wipe the⏎disk?', `tink workflow approve ${workflowId} wipe`],
      [
        'nobody knows what became of it is (restart, resume, succeeded or failed?): gone',
        `tink workflow resolve ${workflowId} 'it is' --as restart`,
      ],
    ]);
  });

  it('tell of tries, delays, cancelling, refused reports and where it comes from', () => {
    const waits = actionRow({
      ...{ name: 'pull', plan: { retry }, attempt: 1, retryAt: '2026-01-01T00:10:20.000Z', exitCode: 75 },
      message: 'busy',
    });
    expect(texts({ actions: [waits] })).toEqual([
      'pull: try 2 of 4 follows; the last one: exit code 75: busy (in 20s)',
    ]);
    const delays = [
      { cause: 'worker-silent', workerId: 'w', message: 'no word from it', at: '2026-01-01T00:05:00.000Z' },
    ];
    expect(texts({ delays, refusedReports: 2, origin: { workflowId: 'w0', from: 1 } })).toEqual([
      'repeats workflow w0 from write-image on',
      'late: no word from it (5m ago)',
      '2 reports of its workers were refused',
    ]);
    expect(
      texts({ cancelling: true, paused: true, cancelRequestedAt: '2026-01-01T00:09:55.000Z', waiting: 'x' }),
    ).toEqual(['cancelling: its worker is told to stop write-image (5s ago)']);
  });

  it('of one that has ended are only its past', () => {
    const actions = [actionRow({ status: 'awaiting-approval' })];
    expect(texts({ status: 'cancelled', actions, paused: true, waiting: null })).toEqual([]);
  });
});

/** Two tasks on two machines: one writes and probes at once, the other waits for both; a handler, a branch that is blocked. */
const graph = (over: Partial<WorkflowItem> = {}) =>
  workflowItem({
    actions: [
      actionRow({ task: 'disk', name: 'write', status: 'running', attempt: 2, plan: { retry } }),
      actionRow({ task: 'disk', name: 'rescue', plan: { needs: [0], runs: 'failure' } }),
      actionRow({ task: 'net', name: 'probe', status: 'running', attempt: 1 }),
      actionRow({ task: 'net', name: 'bond', status: 'failed', exitCode: 1, attempt: 1, message: 'no link' }),
      actionRow({ task: 'net', name: 'test', plan: { needs: [3] } }),
      actionRow({ task: 'net', name: 'log', status: 'skipped', message: 'by hand' }),
      actionRow({ task: 'end', name: 'boot', plan: { needs: [0, 2] } }),
    ],
    ...over,
  });

describe('the picture of a graph', () => {
  it('keeps tasks together, shows the output of all that run, and what the others wait for', () => {
    const lines = new Map([
      [0, '45 %'],
      [2, 'eth0 up'],
    ]);
    expect(frame({ item: graph(), lines, note: '' }, testNow, screen)).toEqual([
      `workflow ${workflowId}: install on 08:00:27:00:00:01, …`,
      '',
      'disk',
      '▸ write     running          (try 2 of 4)',
      '      45 %',
      '· rescue    pending          if write fails',
      'net',
      '▸ probe     running         ',
      '      eth0 up',
      '✖ bond      failed          ',
      '      exit code 1: no link',
      '∅ test      blocked         ',
      '↷ log       skipped         ',
      '      by hand',
      'end',
      '· boot      pending          after write, probe',
      '',
      'running for 1m, 2 actions at once',
    ]);
  });

  it('has every running action in sight when not all fit', () => {
    const many = Array.from({ length: 90 }, (_, index) =>
      actionRow({ name: `a-${index}`, status: index === 10 || index === 80 ? 'running' : 'success' }),
    );
    const lines = frame({ item: workflowItem({ actions: many }), lines: new Map(), note: '' }, testNow, screen);
    expect(lines.length).toBeLessThan(screen.rows);
    expect(lines.filter((line) => line.startsWith('▸'))).toHaveLength(2);
  });

  it('never cuts a command that is there to be copied', () => {
    const actions = [actionRow({ name: 'a-name-that-is-rather-long', status: 'awaiting-approval', message: 'sure?' })];
    const lines = frame({ item: workflowItem({ actions, waiting: 'x' }), lines: new Map(), note: '' }, testNow, {
      ...screen,
      columns: 40,
    });
    expect(lines.join('')).toContain(`tink workflow approve ${workflowId} a-name-that-is-rather-long`);
  });
});

describe('lines for a log', () => {
  it('say each thing once', () => {
    const changes = plainChanges(screen);
    const at = (item: WorkflowItem) => changes(item, testNow).map((line) => line.replace(/^\S+( \d\S+)? {2}/, ''));
    const write = { name: 'write', plan: { retry } };
    expect(at(workflowItem({ actions: [actionRow(write)], waiting: 'its worker' }))).toEqual([
      expect.stringContaining('install on') as string,
      'waiting: its worker',
    ]);
    const failed = { ...write, attempt: 1, retryAt: '2026-01-01T00:10:05.000Z', exitCode: 75, seconds: 2 };
    expect(at(workflowItem({ actions: [actionRow(failed)] }))).toEqual([
      'os-installation/write  try 1 of 4 ended badly  2.0s  exit code 75',
      'write: try 2 of 4 follows; the last one: exit code 75 (in 5s)',
    ]);
    expect(at(workflowItem({ actions: [actionRow(failed)], paused: true }))).toEqual([
      `paused: nothing further of it starts: tink workflow resume ${workflowId}`,
    ]);
    expect(at(workflowItem({ actions: [actionRow({ ...write, attempt: 2, status: 'running' })] }))).toEqual([
      'os-installation/write  running (try 2 of 4)',
      'resumed',
    ]);
    expect(at(workflowItem({ actions: [actionRow({ ...write, attempt: 2, status: 'running' })] }))).toEqual([]);
  });
});
