import type { Containers, RegistryAuth } from '../containers/containers';
import { qualifyImage, registryOf } from '../containers/image-name';
import { errorText } from '../pace';

/**
 * Fetches the images of later actions while an earlier one runs, one after the other. Only a head start: the action itself pulls its
 * image again, which is where a failure counts.
 */
export class Prefetch {
  private readonly seen = new Set<string>();
  private last: Promise<void> = Promise.resolve();

  constructor(
    private readonly containers: Containers,
    private readonly registry: RegistryAuth | undefined,
    private readonly stop: AbortSignal,
    private readonly note: (text: string) => void,
  ) {}

  /** Returns at once. An image that was asked for before is left alone. */
  begin(images: readonly string[]): void {
    for (const image of images.map((name) => qualifyImage(name, this.registry?.address ?? ''))) {
      if (this.seen.has(image)) continue;
      this.seen.add(image);
      this.last = this.last.then(() => this.fetch(image));
    }
  }

  /** Resolves when nothing is being fetched any more. */
  settled(): Promise<void> {
    return this.last;
  }

  private async fetch(image: string): Promise<void> {
    if (this.stop.aborted) return;
    const auth = this.registry && registryOf(image) === this.registry.address ? this.registry : undefined;
    try {
      await this.containers.pull(image, auth, () => undefined, this.stop);
    } catch (error) {
      this.note(`${image} could not be fetched ahead of its action: ${errorText(error)}`);
    }
  }
}
