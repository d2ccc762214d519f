import { execFile } from 'node:child_process';
import { copyFile, mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { call, RegistryError, type RegistryOptions } from './registry';

const execFileAsync = promisify(execFile);
const manifestTypes =
  'application/vnd.oci.image.manifest.v1+json, application/vnd.docker.distribution.manifest.v2+json';

export interface Filled {
  readonly name: string;
  readonly digest: string;
  /** False: the registry had it already. */
  readonly pushed: boolean;
}

/**
 * Pushes every image below `layoutsDir` (a folder per image, each an OCI layout) as `<name>:latest`, unless the registry has just that
 * manifest. A missing folder is an empty one.
 */
export async function fillRegistry(
  registry: Pick<RegistryOptions, 'host' | 'tls' | 'account'> & { readonly port: number },
  layoutsDir: string,
): Promise<readonly Filled[]> {
  const certs = await mkdtemp(join(tmpdir(), 'tink-registry-'));
  try {
    await copyFile(registry.tls.ca, join(certs, 'ca.crt'));
    const filled: Filled[] = [];
    for (const name of await layouts(layoutsDir)) {
      const digest = await digestOf(join(layoutsDir, name));
      const { digest: stored } = await call(registry, registry.port, 'HEAD', `/v2/${name}/manifests/latest`, {
        accept: manifestTypes,
      });
      if (stored !== digest) await push(registry, certs, join(layoutsDir, name), name);
      filled.push({ name, digest, pushed: stored !== digest });
    }
    return filled;
  } finally {
    await rm(certs, { recursive: true, force: true });
  }
}

async function layouts(dir: string): Promise<readonly string[]> {
  const entries = await readdir(dir, { withFileTypes: true }).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return [];
    throw error;
  });
  const names: string[] = [];
  for (const { name } of entries) {
    const isLayout = await readFile(join(dir, name, 'oci-layout')).then(
      () => true,
      () => false,
    );
    if (isLayout) names.push(name);
  }
  return names.sort();
}

async function digestOf(layout: string): Promise<string> {
  const index = JSON.parse(await readFile(join(layout, 'index.json'), 'utf8')) as { manifests?: { digest?: string }[] };
  const digest = index.manifests?.[0]?.digest;
  if (!digest) throw new RegistryError(`${layout} is not an OCI layout with one image`);
  return digest;
}

async function push(
  { host, account, port }: Pick<RegistryOptions, 'host' | 'account'> & { readonly port: number },
  certs: string,
  layout: string,
  name: string,
): Promise<void> {
  try {
    // The credentials are arguments that other users of this host could read; root's processes are no secret to root alone.
    await execFileAsync('skopeo', [
      ...['copy', '--quiet', '--preserve-digests', '--dest-cert-dir', certs],
      ...['--dest-creds', `${account.username}:${account.password}`],
      ...[`oci:${layout}`, `docker://${host}:${port}/${name}:latest`],
    ]);
  } catch (error) {
    const { code, stderr = '' } = error as NodeJS.ErrnoException & { stderr?: string };
    if (code === 'ENOENT') throw new RegistryError('skopeo is missing: apt-get install skopeo', { cause: error });
    throw new RegistryError(`pushing ${name}: ${stderr.trim()}`, { cause: error });
  }
}
