import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';

/** The built front end: beside this program, beside the one that composes all apps, or in the checkout. Undefined: not built. */
export function findWebRoot(configured: string): string | undefined {
  const places =
    configured === ''
      ? [join(__dirname, 'web'), join(__dirname, '../dashboard/web'), resolve('dist/apps/dashboard/web')]
      : [resolve(configured)];
  return places.find((place) => existsSync(join(place, 'index.html')) && existsSync(join(place, 'assets')));
}
