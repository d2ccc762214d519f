import { InvalidDocumentError, type Fault } from '@tinkerbell/domain';
import type { PlannedAction } from '@tinkerbell/events';
import type { TextPlace } from '@tinkerbell/template';
import type { Resolved } from './registry-images';

/** Tells the digest that an image's name stands for now. */
export interface ImageResolver {
  resolve(image: string): Promise<Resolved>;
}

/**
 * The same actions with every image as `name@sha256:…`, so that what was planned is what runs, whatever is pushed later. Each image is
 * asked for once. Throws InvalidDocumentError with the place of every image that cannot be had.
 */
export async function pinImages(
  actions: readonly PlannedAction[],
  places: readonly TextPlace[],
  images: ImageResolver,
): Promise<readonly PlannedAction[]> {
  const names = [...new Set(actions.map(({ image }) => image))].filter((image) => !image.includes('@'));
  const resolved = new Map(await Promise.all(names.map(async (name) => [name, await images.resolve(name)] as const)));
  const faults = actions.flatMap(({ image }, index): readonly Fault[] => {
    const answer = resolved.get(image);
    if (answer === undefined || 'digest' in answer) return [];
    return [{ path: '', ...places[index], message: `image ${image}: ${answer.fault}` }];
  });
  if (faults.length > 0) throw new InvalidDocumentError('template', distinct(faults));
  return actions.map((action) => {
    const answer = resolved.get(action.image);
    return answer && 'digest' in answer ? { ...action, image: pinned(action.image, answer.digest) } : action;
  });
}

/** The tag goes: engines refuse a name with both. */
function pinned(image: string, digest: string): string {
  return `${image.replace(/:[^/:]+$/, '')}@${digest}`;
}

/** The actions of a matrix come from one place. */
function distinct(faults: readonly Fault[]): readonly Fault[] {
  return [...new Map(faults.map((fault) => [`${fault.path} ${fault.line} ${fault.message}`, fault])).values()];
}
