import 'reflect-metadata';
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { NestFactory } from '@nestjs/core';
import { pause, subjects } from '@tinkerbell/messaging';
import { ActionLoop } from './action-loop';
import { CredentialRefusedError, type Bus } from './bus/bus';
import { NatsWorkerBus } from './bus/nats';
import type { Containers } from './containers/containers';
import { DockerContainers } from './containers/docker';
import type { Credentials } from './enrolment/credentials';
import { Enrolment, TokenExpiredError } from './enrolment/enrolment';
import { Journal } from './journal/journal';
import { readBootId } from './machine';
import { defaultPace, errorText, insist, type Pace } from './pace';
import type { WorkerSettings } from './settings';
import { ConsoleLog, type WorkerLog } from './worker-log';
import type { TinkWorkerConfig } from './worker.config';
import { WorkerModule } from './worker.module';

/** What a test or a composition may bring along. */
export interface TinkWorkerPorts {
  readonly containers?: Containers;
  readonly log?: WorkerLog;
  readonly bootId?: string;
  readonly pace?: Partial<Pace>;
  /** Where sysfs is. */
  readonly sysDirectory?: string;
}

export interface RunningWorker {
  /** Ends when the worker does; rejects when it cannot go on. A machine that is to be rebooted never gets here by itself. */
  readonly done: Promise<void>;
  /** Leaves a running container alone; finishes what is being sent. */
  close(): Promise<void>;
}

/** After the credential was refused, how long until it is worth asking for another one. */
const renewPauseMs = 10_000;

/** Comes back at once; enrolment, connecting and all work go on behind it. */
export async function startTinkWorker(config: TinkWorkerConfig, ports: TinkWorkerPorts = {}): Promise<RunningWorker> {
  const worker = new WorkerProcess(config, ports);
  const done = worker.run();
  done.catch(() => undefined); // whoever cares awaits `done`
  return { done, close: () => worker.close() };
}

class WorkerProcess {
  private readonly stopping = new AbortController();
  private readonly closed: Promise<void>;
  private readonly log: WorkerLog;
  private readonly pace: Pace;
  private readonly enrolment: Enrolment;
  private credentials: Credentials | undefined;
  private renewing = false;
  private finish: () => Promise<void> = async () => {};
  private running: Promise<void> | undefined;

  constructor(
    private readonly config: TinkWorkerConfig,
    private readonly ports: TinkWorkerPorts,
  ) {
    this.log = ports.log ?? new ConsoleLog(config.OSIE_CONSOLE === '1');
    this.pace = { ...defaultPace, maxRetryMs: config.RETRY_INTERVAL * 1000, ...ports.pace };
    this.closed = new Promise((resolve) => this.stopping.signal.addEventListener('abort', () => resolve()));
    this.enrolment = new Enrolment(
      {
        workerId: config.WORKER_ID,
        mac: config.HW_ADDR,
        token: config.TINK_TOKEN,
        serverUrl: config.TINK_SERVER_URL,
        certUrl: config.TINK_CERT_URL,
        caSha256: config.TINK_CA_SHA256,
        credentialsFile: config.TINK_WORKER_CREDENTIALS || join(config.TINK_STATE_DIR, 'credentials.json'),
        dockerCertsDirectory: config.DOCKER_CERTS_DIR,
        mayBootAgain: config.TINK_REBOOT_COMMAND !== '',
        pace: this.pace,
      },
      this.log,
    );
  }

  run(): Promise<void> {
    this.running ??= this.work().catch(async (error: unknown) => {
      if (this.stopping.signal.aborted) return;
      if (!(error instanceof TokenExpiredError)) throw error;
      await this.reboot();
      await this.closed;
    });
    return this.running;
  }

  async close(): Promise<void> {
    this.stopping.abort();
    await this.finish();
    await this.running?.catch(() => undefined);
  }

  private async work(): Promise<void> {
    this.log.stage(`started, id ${this.config.WORKER_ID}`);
    const journal = Journal.open(this.config.TINK_STATE_DIR);
    this.credentials = await this.enrolment.credentials(this.stopping.signal);
    const bus = await this.connect();
    this.log.stage('connected');
    const containers = this.ports.containers ?? new DockerContainers(this.config.DOCKER_SOCKET);
    const parts = { settings: this.settings(this.credentials), containers, journal, bus, log: this.log };
    const app = await NestFactory.createApplicationContext(WorkerModule.of(parts), {
      logger: false,
      abortOnError: false,
    });
    const loop = app.get(ActionLoop);
    const stopped = this.closed.then(() => loop.stop());
    this.finish = () => stopped;
    try {
      const reboot = await loop.run();
      if (reboot) {
        await loop.stop();
        await bus.close();
        await this.reboot();
        await this.closed;
      }
    } finally {
      if (this.stopping.signal.aborted) await stopped;
      await bus.close();
      await app.close();
      journal.close();
    }
  }

  private async connect(): Promise<Bus> {
    return insist(
      this.pace,
      this.stopping.signal,
      () => this.connectOnce(),
      async (error, tries) => {
        if (tries % 20 === 1) this.log.warn(`no connection to the bus: ${errorText(error)}`);
        if (error instanceof CredentialRefusedError) this.renew();
      },
    );
  }

  private connectOnce(): Promise<Bus> {
    const { WORKER_ID: workerId } = this.config;
    return NatsWorkerBus.connect({
      workerId,
      servers: this.credentials?.natsUrl ?? '',
      ca: this.credentials?.ca || undefined,
      jwt: () => this.credentials?.jwt ?? '',
      seed: this.credentials?.seed,
      inboxPrefix: subjects.inboxPrefix(workerId),
      connectTimeoutMs: this.pace.requestMs,
      onStatus: (text) => this.log.info(text),
      onRefused: () => this.renew(),
    });
  }

  /** Asks for a new credential in the background; the bus takes it at its next try. */
  private renew(): void {
    if (this.renewing || this.stopping.signal.aborted) return;
    this.renewing = true;
    void this.enrolment
      .enrol(this.stopping.signal)
      .then(
        (credentials) => (this.credentials = credentials),
        (error: unknown) => this.log.warn(`the credential is refused and cannot be renewed: ${errorText(error)}`),
      )
      .then(() => pause(renewPauseMs, this.stopping.signal))
      .then(() => (this.renewing = false));
  }

  private settings({ registry, publicKey }: Credentials): WorkerSettings {
    const { config } = this;
    const address = config.DOCKER_REGISTRY || registry.address;
    const own = config.REGISTRY_USERNAME !== '';
    return {
      workerId: config.WORKER_ID,
      publicKey: /^U[A-Z2-7]{55}$/.test(publicKey) ? publicKey : undefined,
      bootId: this.ports.bootId ?? readBootId(),
      stateDirectory: config.TINK_STATE_DIR,
      workflowDirectory: config.TINK_WORKFLOW_DIR,
      registry:
        address === ''
          ? undefined
          : {
              address,
              username: own ? config.REGISTRY_USERNAME : registry.username,
              password: own ? config.REGISTRY_PASSWORD : registry.password,
            },
      maxDataBytes: config.MAX_FILE_SIZE,
      rebootCommand: config.TINK_REBOOT_COMMAND,
      captureOutput: config.CAPTURE_ACTION_LOGS === 'true',
      parallel: config.TINK_WORKER_PARALLEL,
      sysDirectory: this.ports.sysDirectory ?? '/sys',
      pace: this.pace,
    };
  }

  private reboot(): Promise<void> {
    const command = this.config.TINK_REBOOT_COMMAND;
    this.log.stage(`rebooting: ${command}`);
    return new Promise((resolve) => {
      const child = spawn('/bin/sh', ['-c', command], { stdio: 'inherit' });
      child.once('error', (error) => {
        this.log.warn(`the reboot command does not start: ${error.message}`);
        resolve();
      });
      child.once('exit', (code) => {
        if (code !== 0) this.log.warn(`the reboot command ended with ${code ?? 'a signal'}`);
        resolve();
      });
    });
  }
}
