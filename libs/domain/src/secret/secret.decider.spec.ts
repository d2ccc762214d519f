import { specify } from '@tinkerbell/testing';
import { describe, it } from 'vitest';
import { secretDecider } from './secret.decider';

const given = specify(secretDecider);
const entry = (n: number) => String(n).repeat(32);
const set = (n: number, name = 'db-password') => ({ type: 'SetSecret', name, entry: entry(n) }) as const;
const remove = { type: 'DeleteSecret', name: 'db-password' } as const;
const wasSet = (version: number) => ({ type: 'SecretSet', v: 1, data: { version, entry: entry(version) } }) as const;
const wasDeleted = { type: 'SecretDeleted', v: 1, data: {} } as const;

describe('secret', () => {
  it('gets its first value, and another one', () => {
    given().when(set(1)).then(wasSet(1));
    given(wasSet(1)).when(set(2)).then(wasSet(2));
  });
  it('counts its values on over a deletion', () => given(wasSet(1), wasDeleted).when(set(2)).then(wasSet(2)));
  it('is deleted once', () => {
    given(wasSet(1)).when(remove).then(wasDeleted);
    given(wasSet(1), wasDeleted).when(remove).thenNothing();
    given().when(remove).thenThrows('NOT_FOUND');
  });
  it.each(['', 'A', 'a_b', 'a.b', 'ä', 'a'.repeat(65), '*'])('is not called %j', (name) =>
    given().when(set(1, name)).thenThrows('INVALID'),
  );
  it('is kept under a proper entry', () =>
    given().when({ type: 'SetSecret', name: 'a', entry: 'x' }).thenThrows('INVALID'));
});
