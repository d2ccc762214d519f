// Pure: from what was found to what has to be done. No file, no process is touched here.

/** The digits of an upstream version: epoch and Debian revision dropped, `2.10.27-1+b2` → [2, 10, 27]. */
export function versionNumbers(version) {
  const upstream = version.replace(/^v?(\d+:)?/, '').replace(/-[^-]*$/, '');
  const match = /^\d+(\.\d+)*/.exec(upstream);
  return match ? match[0].split('.').map(Number) : [];
}

/** -1, 0 or 1; missing parts count as 0, so 2.10 equals 2.10.0. What is not a version is lower than every version. */
export function compareVersions(left, right) {
  const [a, b] = [versionNumbers(left), versionNumbers(right)];
  if (a.length === 0 || b.length === 0) return Math.sign(a.length - b.length);
  for (let i = 0; i < Math.max(a.length, b.length); i++) {
    const difference = (a[i] ?? 0) - (b[i] ?? 0);
    if (difference !== 0) return Math.sign(difference);
  }
  return 0;
}

/** Names of packages whose installed version is not the locked one; `hidden` is npm's record of what it installed. */
export function lockDifference(lock, hidden) {
  const different = [];
  for (const [path, wanted] of Object.entries(lock.packages ?? {})) {
    if (path === '' || wanted.link) continue;
    const found = hidden.packages?.[path];
    if (!found ? !wanted.optional && !wanted.devOptional : differs(found, wanted)) different.push(path);
  }
  for (const path of Object.keys(hidden.packages ?? {})) if (!lock.packages?.[path]) different.push(path);
  return different;
}

const differs = (found, wanted) => found.version !== wanted.version || found.integrity !== wanted.integrity;

/**
 * URIs and signing key of the machine's own Debian archive: the entry for the codename itself (not its -security or -updates).
 * Understands one-line (`deb …`) and deb822 (`URIs: …`) sources. Undefined when there is none.
 */
export function debianMirror(sourceTexts, codename) {
  for (const text of sourceTexts) {
    for (const source of [...deb822(text), ...oneLine(text)]) {
      if (!source.suites.includes(codename) || !source.components.includes('main')) continue;
      const uri = source.uris.find((candidate) => /^[a-z+]+:/.test(candidate));
      if (uri) return { uri, signedBy: source.signedBy };
    }
  }
  return undefined;
}

function deb822(text) {
  return text.split(/\n\s*\n/).flatMap((paragraph) => {
    const field = (name) => new RegExp(`^${name}:[ \\t]*(.*)$`, 'im').exec(paragraph)?.[1]?.trim();
    if (!field('URIs') || !/\bdeb\b/.test(field('Types') ?? '') || field('Enabled') === 'no') return [];
    const words = (name) => (field(name) ?? '').split(/\s+/).filter(Boolean);
    const signedBy = field('Signed-By');
    return [
      {
        uris: words('URIs'),
        suites: words('Suites').map((suite) => suite.replace(/\/$/, '')),
        components: words('Components'),
        signedBy: signedBy?.startsWith('/') ? signedBy : undefined,
      },
    ];
  });
}

function oneLine(text) {
  return text.split('\n').flatMap((line) => {
    const match = /^\s*deb\s+(?:\[([^\]]*)\]\s+)?(\S+)\s+(\S+)\s+([^#]*)/.exec(line);
    if (!match) return [];
    const [, options = '', uri = '', suite = '', components = ''] = match;
    const signedBy = /signed-by=(\/[^\s,]+)/.exec(options)?.[1];
    return [{ uris: [uri], suites: [suite], components: components.trim().split(/\s+/), signedBy }];
  });
}

/**
 * What is to be done, in order. State: { packages, modules, native, borrowed, build }, where packages are the missing Debian packages,
 * modules 'ok' | 'missing' | 'changed', native 'ok' | 'cached' | 'missing', borrowed the names still to fetch,
 * build 'ok' | 'stale' | 'none'.
 * @returns {readonly { kind: string, what: string, names?: readonly string[] }[]}
 */
export function planSteps(state) {
  const steps = [];
  const { packages } = state;
  if (packages.length > 0) steps.push({ kind: 'apt', what: `Debian packages: ${packages.join(' ')}`, names: packages });
  for (const name of state.borrowed)
    steps.push({ kind: 'borrow', what: `${name} from a Debian package`, names: [name] });
  if (state.modules !== 'ok') {
    const why = state.modules === 'missing' ? 'not installed' : 'package-lock.json changed';
    steps.push({ kind: 'modules', what: `npm packages (${why})` });
  }
  if (state.native !== 'ok') steps.push({ kind: 'native', what: 'better-sqlite3 for this Node' });
  if (state.build === 'stale') steps.push({ kind: 'build', what: 'project build' });
  return steps;
}

/**
 * Why the steps cannot be done here, with the commands that a person can run instead; undefined when they can. `compilers`: missing
 * packages to compile better-sqlite3; `unknown`: packages that apt has no candidate for.
 */
export function obstacle(steps, { root, apt, purpose, compilers = [], unknown = [] }) {
  const install = steps.find(({ kind }) => kind === 'apt');
  const fetch = steps.some(({ kind }) => kind === 'borrow');
  const compile = steps.some(({ kind }) => kind === 'native') ? compilers : [];
  const again = `npm run setup -- --for ${purpose}`;
  if (!apt && (install || fetch)) {
    const names = steps.flatMap((step) => (step.kind === 'apt' || step.kind === 'borrow' ? step.names : []));
    return [
      'This is not a machine with apt (Debian 12 or 13 is what we know). Install what matches these Debian packages yourself:',
      `  ${[...new Set([...names, ...compile])].join(' ')}`,
      `then run again: ${again}`,
    ].join('\n');
  }
  if (!install || root) return undefined;
  const names = [...new Set([...install.names, ...compile])];
  const unheardOf = names.filter((name) => unknown.includes(name));
  if (unheardOf.length > 0) {
    return [
      `Installing Debian packages needs root, and apt does not know yet what they are called here (${unheardOf.join(', ')}). Run:`,
      '  sudo apt-get update',
      `then again: ${again}`,
      'When that does not help, /etc/apt names no archive that has them.',
    ].join('\n');
  }
  return [
    'Installing Debian packages needs root. Run:',
    '  sudo apt-get update',
    `  sudo apt-get install --yes --no-install-recommends --no-upgrade ${names.join(' ')}`,
    `then again: ${again}`,
  ].join('\n');
}
