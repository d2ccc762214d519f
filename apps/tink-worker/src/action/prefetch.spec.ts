import { describe, expect, it } from 'vitest';
import { FakeContainers } from '../containers/fake';
import { Prefetch } from './prefetch';

const registry = { address: 'registry:5000', username: 'worker', password: 'secret' };

class Recording extends FakeContainers {
  readonly fetched: string[] = [];
  override async pull(image: string): Promise<void> {
    this.fetched.push(image);
    if (image.includes('broken')) throw new Error('manifest unknown');
  }
}

describe('prefetch', () => {
  it('fetches each image once, in order, by its full name, and a failure harms nobody', async () => {
    const containers = new Recording();
    const notes: string[] = [];
    const prefetch = new Prefetch(containers, registry, new AbortController().signal, (text) => notes.push(text));
    prefetch.begin(['image2disk', 'broken', 'reboot:1']);
    prefetch.begin(['broken', 'reboot:1']);
    await prefetch.settled();
    expect(containers.fetched).toEqual([
      'registry:5000/image2disk:latest',
      'registry:5000/broken:latest',
      'registry:5000/reboot:1',
    ]);
    expect(notes).toEqual(['registry:5000/broken:latest could not be fetched ahead of its action: manifest unknown']);
  });

  it('begins nothing more once the worker stops', async () => {
    const containers = new Recording();
    const stop = new AbortController();
    const prefetch = new Prefetch(containers, registry, stop.signal, () => undefined);
    stop.abort();
    prefetch.begin(['image2disk']);
    await prefetch.settled();
    expect(containers.fetched).toEqual([]);
  });
});
