import { mkdir, open, readFile, rename, rm, statfs } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join, resolve } from 'node:path';
import type { NatsIdentity } from '@tinkerbell/identity';
import { runServer, type ServerExit, type ServerRun } from './child';
import { type ClusterConfig, renderConfig } from './config-file';
import { lockDataFolder } from './data-lock';
import { findNatsServer } from './find';

export interface NatsServerOptions {
  /** Holds the configuration, the lock and the store. */
  readonly dataDir: string;
  readonly host: string;
  /** 0: any free port; the one found stays the same across restarts. */
  readonly port: number;
  /** PEM files. */
  readonly tls?: { readonly cert: string; readonly key: string };
  /** Without it anybody who reaches the port may do anything: loopback and tests only. */
  readonly identity?: Pick<NatsIdentity, 'operatorJwt' | 'systemAccount' | 'account'>;
  readonly binary?: string;
  /** Unique in its cluster; default: the host's name. */
  readonly serverName?: string;
  readonly cluster?: ClusterConfig;
  readonly monitorPort?: number;
  readonly maxPayloadBytes?: number;
  readonly syncInterval?: string;
  readonly memoryLimitBytes?: number;
  readonly readyTimeoutMs?: number;
  /** Start again when the server ends by itself; default true. */
  readonly restart?: boolean;
  /** Called at every end that nobody asked for. */
  readonly onExit?: (exit: ServerExit) => void;
  readonly log?: (line: string) => void;
  readonly guard?: 'kernel' | 'pipe';
}

export interface NatsServer {
  /** `tls://host:port` or `nats://host:port`. */
  readonly url: string;
  readonly host: string;
  readonly port: number;
  readonly version: string;
  /** undefined while it is down. */
  readonly pid: number | undefined;
  /** Why the server cannot do its work at the moment, for people: down, or its disk is full. */
  problem(): string | undefined;
  /** An orderly end and a new start, on the same port. */
  restart(): Promise<void>;
  /** The certificate is read again; connections stay. Throws NatsServerReloadError. */
  reload(): Promise<void>;
  /** SIGKILL, for tests; with `restart: false` it stays down until `restart()`. */
  kill(): Promise<void>;
  stop(): Promise<void>;
}

const mebibyte = 1024 * 1024;
/** What must be free before a server that stopped writing on a full disk is started again. */
const enoughFreeBytes = 8 * mebibyte;
const diskCheckMs = 1000;
const slowestRestartMs = 5000;

/**
 * Starts nats-server as a child that ends with this process, whatever ends it. Throws NatsServerNotFoundError, DataFolderInUseError,
 * NatsServerStartError.
 */
export async function startNatsServer(options: NatsServerOptions): Promise<NatsServer> {
  const found = options.binary
    ? await findNatsServer({ NATS_SERVER_BIN: options.binary })
    : await findNatsServer(process.env);
  const dataDir = resolve(options.dataDir);
  const lock = await lockDataFolder(dataDir);
  const supervised = new SupervisedServer({ ...options, dataDir, binary: found.path }, lock.note);
  try {
    await supervised.start();
  } catch (error) {
    await lock.release();
    throw error;
  }
  return {
    url: `${options.tls ? 'tls' : 'nats'}://${options.host.includes(':') ? `[${options.host}]` : options.host}:${supervised.port}`,
    host: options.host,
    port: supervised.port,
    version: found.version,
    get pid() {
      return supervised.pid;
    },
    problem: () => supervised.problem(),
    restart: () => supervised.restart(),
    reload: () => supervised.reload(),
    kill: () => supervised.kill(),
    async stop() {
      await supervised.stop();
      await lock.release();
    },
  };
}

class SupervisedServer {
  port: number;
  #run: ServerRun | undefined;
  #wanted = false;
  #failures = 0;
  #timer: NodeJS.Timeout | undefined;
  #fullDisk: string | undefined;
  #starting: Promise<void> | undefined;

  constructor(
    private readonly options: NatsServerOptions & { readonly binary: string },
    private readonly note: (pid: number) => Promise<void>,
  ) {
    this.port = options.port;
  }

  get pid(): number | undefined {
    return this.#run?.pid;
  }

  get #storeDir(): string {
    return join(this.options.dataDir, 'store');
  }

  problem(): string | undefined {
    if (this.#fullDisk) return this.#fullDisk;
    return this.#run ? undefined : 'nats-server is not running';
  }

  async start(): Promise<void> {
    this.#wanted = true;
    this.#starting ??= this.#startOnce().finally(() => (this.#starting = undefined));
    await this.#starting;
  }

  async #startOnce(): Promise<void> {
    const { dataDir, binary } = this.options;
    await mkdir(this.#storeDir, { recursive: true, mode: 0o700 });
    const configFile = join(dataDir, 'nats-server.conf');
    await writePrivate(configFile, this.#config());
    const run = await runServer({
      binary,
      configFile,
      memoryLimitBytes: this.options.memoryLimitBytes ?? 1024 * mebibyte,
      readyTimeoutMs: this.options.readyTimeoutMs ?? 60_000,
      guard: this.options.guard,
      onLine: (line) => this.#onLine(line),
    });
    await this.note(run.pid).catch(async (error: unknown) => {
      await run.kill();
      throw error;
    });
    this.#run = run;
    this.port = run.port;
    this.#fullDisk = undefined;
    void run.exited.then((exit) => this.#onExited(run, exit));
  }

  #config(): string {
    const { host, tls, identity, monitorPort, maxPayloadBytes, syncInterval } = this.options;
    return renderConfig({
      host,
      port: this.port,
      storeDir: this.#storeDir,
      tls: tls && { cert: resolve(tls.cert), key: resolve(tls.key) },
      identity,
      monitorPort,
      maxPayloadBytes: maxPayloadBytes ?? 12 * mebibyte,
      syncInterval: syncInterval ?? 'always',
      serverName: this.options.serverName ?? `tinkerbell-${hostname()}`,
      cluster: this.options.cluster,
    });
  }

  #onExited(run: ServerRun, exit: ServerExit): void {
    if (this.#run !== run) return; // ended on request
    this.#run = undefined;
    this.options.onExit?.(exit);
    this.#startLater();
  }

  #startLater(): void {
    if (!this.#wanted || this.options.restart === false) return;
    const delayMs = Math.min(100 * 2 ** this.#failures++, slowestRestartMs);
    this.#timer = setTimeout(() => {
      this.start().then(
        () => (this.#failures = 0),
        (error: unknown) => {
          this.options.log?.(`[ERR] ${error instanceof Error ? error.message : String(error)}`);
          this.#startLater();
        },
      );
    }, delayMs);
  }

  /** After a failed write the server answers no more publishes until it is started again: 2.15.1 freezes the stream, 2.10 JetStream. */
  #onLine(line: string): void {
    this.options.log?.(line);
    if (this.#fullDisk || !/no space left on device|disk quota exceeded/i.test(line)) return;
    this.#fullDisk = `no space left for ${this.#storeDir}`;
    this.#startWhenFreed();
  }

  #startWhenFreed(): void {
    this.#timer = setTimeout(() => {
      void this.#freeBytes().then(async (free) => {
        if (!this.#wanted || !this.#fullDisk) return;
        if (free >= enoughFreeBytes) await this.restart().catch(() => this.#startLater());
        else this.#startWhenFreed();
      });
    }, diskCheckMs);
  }

  async #freeBytes(): Promise<number> {
    try {
      const { bavail, bsize } = await statfs(this.#storeDir);
      return bavail * bsize;
    } catch {
      return 0;
    }
  }

  async restart(): Promise<void> {
    await this.#endRun((run) => run.terminate());
    await this.start();
  }

  /** One that is down reads it when it starts. */
  async reload(): Promise<void> {
    const run = this.#run;
    if (!run) return;
    // With the port that it found, which it may not change while it runs.
    await writePrivate(join(this.options.dataDir, 'nats-server.conf'), this.#config());
    await run.reload();
  }

  async kill(): Promise<void> {
    const run = this.#run;
    if (this.options.restart === false) await this.#endRun((current) => current.kill());
    else await run?.kill();
  }

  async stop(): Promise<void> {
    this.#wanted = false;
    clearTimeout(this.#timer);
    await this.#starting?.catch(() => undefined);
    await this.#endRun((run) => run.terminate());
  }

  async #endRun(end: (run: ServerRun) => Promise<void>): Promise<void> {
    clearTimeout(this.#timer);
    const run = this.#run;
    this.#run = undefined;
    if (run) await end(run);
  }
}

/** Leaves the file alone when it says this already: a start must also work on a full disk. */
async function writePrivate(file: string, text: string): Promise<void> {
  if ((await readFile(file, 'utf8').catch(() => undefined)) === text) return;
  const temporary = `${file}.next`;
  await rm(temporary, { force: true });
  const handle = await open(temporary, 'wx', 0o600);
  try {
    await handle.writeFile(text);
  } finally {
    await handle.close();
  }
  await rename(temporary, file);
}
