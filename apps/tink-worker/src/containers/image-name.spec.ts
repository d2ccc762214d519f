import { describe, expect, it } from 'vitest';
import { qualifyImage, registryOf } from './image-name';

describe('image names', () => {
  it.each([
    ['hello-world', '10.0.0.1:5000/hello-world:latest'],
    ['hello-world:1.2', '10.0.0.1:5000/hello-world:1.2'],
    ['tools/disk-wipe', '10.0.0.1:5000/tools/disk-wipe:latest'],
    ['disk-wipe@sha256:00ff', '10.0.0.1:5000/disk-wipe@sha256:00ff'],
    ['disk-wipe:1@sha256:00ff', '10.0.0.1:5000/disk-wipe:1@sha256:00ff'],
    ['quay.io/a/b@sha256:00ff', 'quay.io/a/b@sha256:00ff'],
    ['quay.io/a/b', 'quay.io/a/b:latest'],
    ['localhost/a', 'localhost/a:latest'],
    ['other:5001/a:v1', 'other:5001/a:v1'],
    ['other:5001/a', 'other:5001/a:latest'],
  ])('%s → %s', (given, full) => {
    expect(qualifyImage(given, '10.0.0.1:5000')).toBe(full);
  });

  it('leaves a name alone when no registry is known', () => {
    expect(qualifyImage('hello-world', '')).toBe('hello-world:latest');
    expect(registryOf('hello-world:latest')).toBe('');
    expect(registryOf('quay.io/a/b:1')).toBe('quay.io');
  });
});
