/**
 * The full name of an image: names without a registry belong to ours, and without tag or digest mean `:latest`.
 * A first component is a registry when it holds a `.` or a `:` or is `localhost` (distribution's reference grammar).
 */
export function qualifyImage(image: string, registry: string): string {
  const slash = image.indexOf('/');
  const first = slash < 0 ? '' : image.slice(0, slash);
  const named = first === 'localhost' || /[.:]/.test(first) || registry === '' ? image : `${registry}/${image}`;
  const last = named.slice(named.lastIndexOf('/') + 1);
  return last.includes('@') || last.includes(':') ? named : `${named}:latest`;
}

/** The registry part of a full name, or an empty string. */
export function registryOf(image: string): string {
  const first = image.includes('/') ? image.slice(0, image.indexOf('/')) : '';
  return first === 'localhost' || /[.:]/.test(first) ? first : '';
}
