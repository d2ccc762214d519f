import { chmod, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { ensureNatsIdentity, ensurePki, type NatsIdentity, type Pki } from '@tinkerbell/identity';
import { findNatsServer, type NatsServer, startNatsServer } from '@tinkerbell/nats';
import type { Cleanup } from '../../../demo/src/cleanup';
import { until } from '../until';
import { clientHost, natsHosts, natsUrls, tinkHosts } from './addresses';
import { SmallDisk } from './disk';
import { Places } from './places';
import { TinkProcess } from './tink-process';

const diskMebibytes = 512;

/** Three nats-servers and two tink-servers, each in a network namespace of its own. */
export interface Cluster {
  readonly dir: string;
  readonly places: Places;
  readonly pki: Pki;
  readonly identity: NatsIdentity;
  readonly nats: readonly NatsServer[];
  readonly tink: readonly TinkProcess[];
  /** Of the third nats-server. */
  readonly disk: SmallDisk;
  readonly readModels: readonly string[];
  readonly engine: { readonly servers: string; readonly ca: string; readonly creds: string };
  /** Everything answers again, whatever happened before. */
  whole(): Promise<void>;
}

export async function startCluster(dir: string, cleanup: Cleanup): Promise<Cluster> {
  const places = await Places.create([...natsHosts, ...tinkHosts, clientHost]);
  cleanup.add('network namespaces', () => places.close());
  const pki = await ensurePki(join(dir, 'pki'), { ips: [...natsHosts, ...tinkHosts], names: ['localhost'] });
  const identity = await ensureNatsIdentity(join(dir, 'identity'));
  const disk = await SmallDisk.mount(join(dir, 'nats-2'), diskMebibytes);
  cleanup.add('small disk', () => disk.unmount());
  const nats: NatsServer[] = [];
  for (const [i, host] of natsHosts.entries()) {
    const server = await startNats(dir, i, host, places, pki, identity);
    nats.push(server);
    cleanup.add(`nats-server ${i}`, () => server.stop());
  }
  const servers = natsUrls.join(',');
  const readModels: string[] = [];
  const tink: TinkProcess[] = [];
  for (const [i, host] of tinkHosts.entries()) {
    const data = join(dir, `tink-${i}`);
    await mkdir(data, { recursive: true });
    readModels.push(join(data, 'tink-server.db'));
    const process = new TinkProcess(places.at(host), tinkEnv(dir, data, servers, pki), {
      log: join(dir, `tink-${i}.log`),
      clock: join(data, 'clock'),
    });
    tink.push(process);
    cleanup.add(`tink-server ${i}`, () => process.end('SIGKILL'));
    process.start();
  }
  const cluster: Cluster = {
    ...{ dir, places, pki, identity, nats, tink, disk, readModels },
    engine: { servers, ca: pki.ca, creds: identity.engineCreds },
    whole: () => heal(cluster),
  };
  return cluster;
}

function tinkEnv(dir: string, data: string, servers: string, pki: Pki): Readonly<Record<string, string>> {
  return {
    ...{ NATS_URL: servers, TINK_NATS_REPLICAS: '3', TINK_DATA_DIR: data, TINK_IDENTITY_DIR: join(dir, 'identity') },
    ...{ TINK_CA_FILE: pki.files.ca, TINK_CERT_FILE: pki.files.cert, TINK_KEY_FILE: pki.files.key },
    ...{ TINK_HOST: '0.0.0.0', TINK_HTTP_API: 'everywhere', TINK_ACTION_GRACE_SECONDS: '1', TINK_LOG_LEVEL: 'debug' },
  };
}

async function startNats(
  dir: string,
  i: number,
  host: string,
  places: Places,
  pki: Pki,
  identity: NatsIdentity,
): Promise<NatsServer> {
  const { path } = await findNatsServer();
  // nsenter becomes the server: signals go to it, and it ends with us as any child of ours.
  const binary = join(dir, `nats-${i}.sh`);
  const enter = `exec nsenter --net=/run/netns/${places.at(host).namespace} -- '${path}' "$@"\n`;
  await writeFile(binary, `#!/bin/sh\n${enter}`);
  await chmod(binary, 0o755);
  return startNatsServer({
    ...{ binary, host, port: 4222, dataDir: join(dir, `nats-${i}`), serverName: `n${i}`, restart: false },
    ...{ tls: pki.files, identity, memoryLimitBytes: 512 * 1024 * 1024 },
    cluster: {
      ...{ name: 'chaos', host, port: 6222, ca: pki.files.ca },
      routes: natsHosts.map((other) => `${other}:6222`),
    },
    log: (line) => void appendLine(join(dir, `nats-${i}.log`), line),
  });
}

async function appendLine(file: string, line: string): Promise<void> {
  await writeFile(file, `${new Date().toISOString()} ${line}\n`, { flag: 'a' });
}

async function heal({ places, nats, tink, disk }: Cluster): Promise<void> {
  for (const a of places.places) for (const b of places.places) if (a.host < b.host) await places.join(a.host, b.host);
  await Promise.all([disk.free(), disk.fast()]);
  for (const server of nats) {
    if (server.pid === undefined) await server.restart();
    else process.kill(server.pid, 'SIGCONT');
  }
  for (const one of tink) {
    one.signal('SIGCONT');
    one.start();
    one.setClock(0);
  }
  await until('all nats-servers run', 60_000, () => nats.every(({ problem }) => problem() === undefined));
}
