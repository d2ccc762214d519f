import { describe, expect, it } from 'vitest';
import { FilterError, filterSubjects } from './filter';
import { publicTypes } from './table';

describe('filterSubjects', () => {
  it('is everything without a filter', () => {
    expect(filterSubjects([])).toEqual(['tink.pub.>']);
    expect(filterSubjects(['workflow.*', '*.*'])).toEqual(['tink.pub.>']);
  });
  it('takes globs for entity and event, any version', () => {
    expect(filterSubjects(['workflow.action-f*'])).toEqual(['tink.pub.*.workflow.action-failed.*.*']);
    expect(filterSubjects(['*.deleted'])).toEqual([
      ...['tink.pub.*.hardware.deleted.*.*', 'tink.pub.*.template.deleted.*.*', 'tink.pub.*.workflow.deleted.*.*'],
    ]);
    const count = publicTypes.filter(({ entity }) => entity === 'lease').length;
    expect(filterSubjects(['lease.*'])).toHaveLength(count);
  });
  it('never names the same event twice', () => {
    expect(filterSubjects(['workflow.deleted', '*.deleted', 'workflow.deleted.w1'])).toHaveLength(3);
    expect(filterSubjects(['workflow.deleted.w1', 'workflow.deleted.w2', 'workflow.deleted.w1'])).toEqual([
      ...['tink.pub.*.workflow.deleted.*.w1', 'tink.pub.*.workflow.deleted.*.w2'],
    ]);
  });
  it.each([
    ['workflow', 'is not entity.event or entity.event.id'],
    ['workflow.', 'is not entity.event'],
    ['a.b.c.d', 'is not entity.event'],
    ['workflow.nope', 'those of workflow are created, action-started'],
    ['rollout.*', 'entities are hardware, template, workflow'],
    ['subscription.*', 'matches no public event'],
    ['workflow.deleted.a b', 'the id in'],
    ['workflow.deleted.w*', 'the id in'],
    ['workflow.(a+)+$', 'matches no public event'],
  ])('refuses %s', (text, fault) => {
    expect(() => filterSubjects(['*.*', text])).toThrow(FilterError);
    expect(() => filterSubjects(['lease.*', text])).toThrow(fault);
  });
});
