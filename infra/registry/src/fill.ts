import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { RegistryClient, type RegistryAccess } from './registry-client';

interface Descriptor {
  readonly mediaType: string;
  readonly digest: string;
  readonly size: number;
  readonly annotations?: Readonly<Record<string, string>>;
}

/** Of an image, or of an index of images. */
interface Manifest {
  readonly config?: Descriptor;
  readonly layers?: readonly Descriptor[];
  readonly manifests?: readonly Descriptor[];
}

export interface Filled {
  /** `name:tag`. */
  readonly name: string;
  readonly digest: string;
  /** False when the registry had it already. */
  readonly pushed: boolean;
}

const nameAnnotation = 'org.opencontainers.image.ref.name';

/** Pushes every image of an OCI layout folder under the name of its annotation. What the registry has by digest is not sent again. A missing folder is an empty one. */
export async function fillRegistry(access: RegistryAccess, layout: string): Promise<readonly Filled[]> {
  const client = new RegistryClient(access);
  try {
    const filled: Filled[] = [];
    for (const image of await imagesOf(layout)) filled.push(await pushImage(client, layout, image));
    return filled;
  } finally {
    client.close();
  }
}

async function imagesOf(layout: string): Promise<readonly Descriptor[]> {
  try {
    const text = await readFile(join(layout, 'index.json'), 'utf8');
    return (JSON.parse(text) as { manifests: readonly Descriptor[] }).manifests;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw new Error(`${layout}/index.json is not the index of an OCI layout: ${(error as Error).message}`, {
      cause: error,
    });
  }
}

async function pushImage(client: RegistryClient, layout: string, image: Descriptor): Promise<Filled> {
  const reference = image.annotations?.[nameAnnotation] ?? '';
  const [, name, tag] = /^([a-z0-9][a-z0-9._/-]*):([\w.-]+)$/.exec(reference) ?? [];
  if (!name || !tag) throw new Error(`${layout}/index.json: an image has the name ${JSON.stringify(reference)}`);
  if ((await client.digestOf(name, tag)) === image.digest)
    return { name: reference, digest: image.digest, pushed: false };
  await pushManifest(client, layout, name, tag, image);
  return { name: reference, digest: image.digest, pushed: true };
}

/** What it names goes first; an index names the images of several platforms. */
async function pushManifest(
  client: RegistryClient,
  layout: string,
  name: string,
  reference: string,
  { digest, mediaType }: Descriptor,
): Promise<void> {
  const bytes = await readBlob(layout, digest);
  const { config, layers = [], manifests = [] } = JSON.parse(bytes.toString()) as Manifest;
  for (const image of manifests) await pushManifest(client, layout, name, image.digest, image);
  for (const blob of config ? [config, ...layers] : []) {
    if (!(await client.hasBlob(name, blob.digest)))
      await client.putBlob(name, blob.digest, await readBlob(layout, blob.digest));
  }
  await client.putManifest(name, reference, mediaType, bytes);
}

async function readBlob(layout: string, digest: string): Promise<Buffer> {
  return readFile(join(layout, 'blobs', ...digest.split(':')));
}
