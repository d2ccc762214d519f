import { fn, type TemplateFunction } from './function';

/** Go's package path. Machines run Linux, so those of the operating system are the same. */
const paths: readonly (readonly [string, TemplateFunction])[] = [
  ['base', fn(['string'], base)],
  ['dir', fn(['string'], (path) => clean(path.slice(0, path.lastIndexOf('/') + 1)))],
  ['clean', fn(['string'], clean)],
  ['ext', fn(['string'], (path) => /\.[^./]*$/.exec(path)?.[0] ?? '')],
  ['isAbs', fn(['string'], (path) => path.startsWith('/'))],
];

export const pathFunctions: readonly (readonly [string, TemplateFunction])[] = [
  ...paths,
  ...paths.map(([name, called]) => [`os${name.charAt(0).toUpperCase()}${name.slice(1)}`, called] as const),
];

function base(path: string): string {
  if (path === '') return '.';
  const [, last = ''] = /([^/]*)\/*$/.exec(path) ?? [];
  return last === '' ? '/' : last;
}

function clean(path: string): string {
  const isAbsolute = path.startsWith('/');
  const parts: string[] = [];
  for (const part of path.split('/')) {
    if (part === '' || part === '.') continue;
    if (part !== '..') parts.push(part);
    else if (parts.length > 0 && parts.at(-1) !== '..') parts.pop();
    else if (!isAbsolute) parts.push(part);
  }
  const joined = parts.join('/');
  return isAbsolute ? `/${joined}` : joined || '.';
}
