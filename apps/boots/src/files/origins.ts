const digestPath = /^\/cache\/([0-9a-f]{64})\/(.+)$/;

export interface CacheName {
  /** SHA-256, hex. */
  readonly digest: string;
  readonly url: URL;
}

/** `/cache/<sha256>/<url>`, the URL as it is or percent-encoded; undefined: it is no such path. */
export function parseCachePath(path: string): CacheName | undefined {
  const [, digest, rest] = digestPath.exec(path) ?? [];
  if (digest === undefined || rest === undefined) return undefined;
  try {
    const text = /^https?%3a/i.test(rest) ? decodeURIComponent(rest) : rest;
    // Some clients make one slash of two.
    const url = new URL(text.replace(/^(https?):\/+/, '$1://'));
    return url.protocol === 'http:' || url.protocol === 'https:' ? { digest, url } : undefined;
  } catch {
    return undefined;
  }
}

/** `origins`: URL prefixes, each with a path that ends in a slash. */
export function isAllowed(url: URL, origins: readonly string[]): boolean {
  return url.username === '' && url.password === '' && origins.some((prefix) => url.href.startsWith(prefix));
}
