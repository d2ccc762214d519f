const alphanumeric = '[a-z0-9]+';
const pathComponent = `${alphanumeric}(?:(?:[._]|__|-+)${alphanumeric})*`;
const domainComponent = '(?:[a-zA-Z0-9]|[a-zA-Z0-9][a-zA-Z0-9-]*[a-zA-Z0-9])';
const domain = `(?:${domainComponent}(?:\\.${domainComponent})*|\\[(?:[a-fA-F0-9:]+)\\])(?::[0-9]+)?`;
const tag = '[\\w][\\w.-]{0,127}';
const digest = '[A-Za-z][A-Za-z0-9]*(?:[-_+.][A-Za-z][A-Za-z0-9]*)*:[0-9a-fA-F]{32,}';
const name = `(?:${domain}/)?${pathComponent}(?:/${pathComponent})*`;
const reference = new RegExp(`^(${name})(?::(${tag}))?(?:@(${digest}))?$`);
const digestLengths: Readonly<Record<string, number>> = { sha256: 64, sha384: 96, sha512: 128 };

/**
 * What is wrong with a container image's name, by the grammar of Docker's references: `[registry[:port]/]path[:tag][@digest]`, the
 * path in lower case and no bare image id. undefined: nothing.
 */
export function imageFault(image: string): string | undefined {
  if (image === '') return 'it is empty';
  if (/^[a-f0-9]{64}$/.test(image)) return 'it is an image id; give a repository name';
  const { registry, rest } = split(image);
  const path = rest.replace(/[:@].*$/s, '');
  if (path.toLowerCase() !== path) return 'the repository name must be lower case';
  const parts = reference.exec(`${registry}/${rest}`);
  if (!parts) return 'it is not [registry[:port]/]name[:tag][@digest]';
  const [, , , sum] = parts;
  if (path.length > 255) return 'the repository name is longer than 255 characters';
  return sum === undefined ? undefined : digestFault(sum);
}

/** The first part is a registry when it looks like a host; else all of it is a path on the default one. */
function split(image: string): { readonly registry: string; readonly rest: string } {
  const slash = image.indexOf('/');
  const first = image.slice(0, Math.max(slash, 0));
  const isHost = /[.:]/.test(first) || first === 'localhost' || first.toLowerCase() !== first;
  if (slash >= 0 && isHost) return { registry: first, rest: image.slice(slash + 1) };
  return { registry: 'docker.io', rest: slash < 0 ? `library/${image}` : image };
}

function digestFault(sum: string): string | undefined {
  const [algorithm = '', hex = ''] = sum.split(':');
  const length = digestLengths[algorithm];
  if (length === undefined) return `the digest's algorithm ${algorithm} is not known`;
  if (hex.length !== length || hex !== hex.toLowerCase())
    return `a ${algorithm} digest is ${length} lower-case hex digits`;
  return undefined;
}
