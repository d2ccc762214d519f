import {
  specify,
  templateCreated,
  templateDeleted,
  templateId,
  templateText,
  templateUpdated,
} from '@tinkerbell/testing';
import { describe, expect, it } from 'vitest';
import { maxTemplateBytes, templateDecider, templateNameConflict } from './template.decider';

const given = specify(templateDecider);
const create = (name = 'hello', data = templateText) => ({ type: 'CreateTemplate', name, data }) as const;
const update = (change: { name?: string; data?: string }) =>
  ({ type: 'UpdateTemplate', id: templateId, ...change }) as const;
const remove = { type: 'DeleteTemplate', id: templateId } as const;

describe('template', () => {
  it('is created', () => given().when(create()).then(templateCreated()));
  it('created with the id of another: changes that one, or nothing', () => {
    given(templateCreated()).when(create('other')).then(templateUpdated('other'));
    given(templateCreated()).when(create()).thenNothing();
  });
  it('created with the id of a deleted one: brings it back', () =>
    given(templateCreated(), templateDeleted()).when(create()).then(templateCreated()));
  it('is updated in what is given', () => {
    given(templateCreated())
      .when(update({ name: 'b' }))
      .then(templateUpdated('b'));
    given(templateCreated())
      .when(update({ data: 'x' }))
      .then(templateUpdated('hello', 'x'));
    given(templateCreated()).when(update({})).thenNothing();
    given(templateCreated(), templateUpdated('b'))
      .when(update({ name: 'b' }))
      .thenNothing();
  });
  it('cannot be updated or deleted when it never was', () => {
    given().when(update({})).thenThrows('NOT_FOUND', `template ${templateId} not found`);
    given().when(remove).thenThrows('NOT_FOUND');
    given(templateCreated(), templateDeleted()).when(update({})).thenThrows('NOT_FOUND');
  });
  it('is deleted once', () => {
    given(templateCreated()).when(remove).then(templateDeleted());
    given(templateCreated(), templateDeleted()).when(remove).thenNothing();
  });
  it.each(['', 'a b', 'a.b', 'ä', 'a/b', 'a\n', 'a'.repeat(201)])('cannot be named %j', (name) => {
    given().when(create(name)).thenThrows('INVALID', 'must be 1 to 200 of A-Z a-z 0-9 _ -');
    given(templateCreated()).when(update({ name })).thenThrows('INVALID');
  });
  it('can have a name of 200', () =>
    given()
      .when(create('a'.repeat(200)))
      .then(templateCreated('a'.repeat(200))));
  it('has a text of 1 byte to 256 KiB', () => {
    given().when(create('a', ' \n')).thenThrows('INVALID', 'cannot be empty');
    given()
      .when(create('a', 'é'.repeat(maxTemplateBytes / 2 + 1)))
      .thenThrows('INVALID', 'is 262146 bytes, more than 262144');
    given(templateCreated())
      .when(update({ data: '' }))
      .thenThrows('INVALID');
  });
  it('has a name of its own', () => {
    const owner = () => ({ id: 'other' });
    expect(templateNameConflict('me', 'a', () => undefined)).toBeUndefined();
    expect(templateNameConflict('other', 'a', owner)).toBeUndefined();
    expect(templateNameConflict('me', 'a', owner)?.message).toBe(
      'template name a is taken by template other: uidx_template_name (duplicate key)',
    );
  });
});
