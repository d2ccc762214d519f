import { parseArgs } from 'node:util';

/** The original worker's flags and variables → ours, and `--parallel`, which it did not have. */
const flags = {
  id: { type: 'string', short: 'i', env: 'WORKER_ID' },
  'docker-registry': { type: 'string', short: 'r', env: 'DOCKER_REGISTRY' },
  'registry-username': { type: 'string', short: 'u', env: 'REGISTRY_USERNAME' },
  'registry-password': { type: 'string', short: 'p', env: 'REGISTRY_PASSWORD' },
  'retry-interval': { type: 'string', env: 'RETRY_INTERVAL' },
  'max-file-size': { type: 'string', env: 'MAX_FILE_SIZE' },
  parallel: { type: 'string', env: 'TINK_WORKER_PARALLEL' },
  'capture-action-logs': { type: 'string', env: 'CAPTURE_ACTION_LOGS' },
  // This worker neither gives up after some tries nor ends after an hour.
  'max-retry': { type: 'string', env: '' },
  timeout: { type: 'string', env: '' },
  version: { type: 'boolean', env: '' },
  help: { type: 'boolean', short: 'h', env: '' },
} as const;

const oldNames = { ID: 'WORKER_ID', container_uuid: 'WORKER_ID' } as const;

export const usage = `usage: tink-worker [flags]
Everything can be set by environment variables (README.md has the table); these flags go before them:
  -i, --id ID                   WORKER_ID, the hardware id
  -r, --docker-registry HOST    DOCKER_REGISTRY instead of the one that tink-server names
  -u, --registry-username NAME  REGISTRY_USERNAME
  -p, --registry-password TEXT  REGISTRY_PASSWORD
      --retry-interval SECONDS  RETRY_INTERVAL, the longest pause between two tries
      --max-file-size BYTES     MAX_FILE_SIZE of ephemeral data
      --parallel N              TINK_WORKER_PARALLEL, actions that may run at the same time (default 4)
      --capture-action-logs true|false
      --version, --help         (--max-retry and --timeout are taken and have no meaning)
`;

export class UsageError extends Error {
  override readonly name = 'UsageError';
}

export interface Invocation {
  readonly show: 'version' | 'help' | undefined;
  /** The environment with the flags laid over it. */
  readonly settings: Readonly<Record<string, string | undefined>>;
}

/** Throws UsageError. */
export function readInvocation(args: readonly string[], env: Readonly<Record<string, string | undefined>>): Invocation {
  const given = parse(args);
  const settings: Record<string, string | undefined> = { ...env };
  for (const [old, name] of Object.entries(oldNames)) settings[name] ??= env[old];
  for (const [flag, { env: name }] of Object.entries(flags)) {
    const value = given[flag];
    if (name !== '' && typeof value === 'string') settings[name] = value;
  }
  settings.DOCKER_SOCKET ??= socketOf(env.DOCKER_HOST);
  return { settings, show: given.version ? 'version' : given.help ? 'help' : undefined };
}

/** The socket of a `unix://` DOCKER_HOST; the worker mounts folders of its own host into containers, so no other kind can do. */
function socketOf(dockerHost: string | undefined): string | undefined {
  if (!dockerHost) return undefined;
  if (dockerHost.startsWith('unix://')) return dockerHost.slice('unix://'.length);
  throw new UsageError(`DOCKER_HOST=${dockerHost} is not unix://…; set DOCKER_SOCKET to a local socket`);
}

function parse(args: readonly string[]): Readonly<Record<string, string | boolean | undefined>> {
  const options = Object.fromEntries(Object.entries(flags).map(([name, { env: _, ...option }]) => [name, option]));
  try {
    // `--capture-action-logs` alone means true, as it did.
    const whole = args.map((arg) => (arg === '--capture-action-logs' ? '--capture-action-logs=true' : arg));
    return parseArgs({ args: whole, options, strict: true, allowPositionals: false }).values as Record<string, string>;
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error));
  }
}
