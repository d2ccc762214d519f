import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { Server, ServerCredentials } from '@grpc/grpc-js';
import { loadSync, type Options } from '@grpc/proto-loader';
import { ReflectionService } from '@grpc/reflection';
import { ServerGrpc } from '@nestjs/microservices';
import { HealthImplementation, protoPath as healthProto } from 'grpc-health-check';
import { contextOf, type ServedCertificate, type TlsPair } from '../tls/served-certificate';

const packagePrefix = 'github.com.tinkerbell.tink.protos';
const packages = ['template', 'workflow', 'hardware', 'events'] as const;
/** What today's agent calls; its package is named just that. */
const agentPackage = 'proto';
export const agentService = `${agentPackage}.WorkflowService`;
/** Frames carry ephemeral data of up to 10 MiB. */
const maxMessageBytes = 12 * 1_048_576;

/** How messages look in TypeScript: names as in the .proto file, 64-bit numbers as number, enums by name, unset scalars as zero values. */
export const loaderOptions: Options = { keepCase: true, longs: Number, enums: String, defaults: true, oneofs: true };

/** The name under which a handler is registered, e.g. `github.com.tinkerbell.tink.protos.hardware.HardwareService`. */
export function serviceName(name: (typeof packages)[number], service: string): string {
  return `${packagePrefix}.${name}.${service}`;
}

export function protoFiles(): readonly string[] {
  // Beside the bundle, or beside the source folder.
  const root = [join(__dirname, 'proto'), join(__dirname, '../../proto')].find((dir) => existsSync(dir));
  if (!root) throw new Error(`no proto folder beside ${__dirname}`);
  return [...packages, 'agent'].map((name) => join(root, name, `${name}.proto`));
}

export interface GrpcListenerOptions {
  readonly host: string;
  readonly port: number;
  readonly certificate: ServedCertificate;
}

class RenewableCredentials extends ServerCredentials {
  constructor(pair: TlsPair) {
    super({ minVersion: 'TLSv1.2' }, contextOf(pair));
  }

  renew(pair: TlsPair): void {
    this.updateSecureContextOptions(contextOf(pair));
  }

  _equals(other: ServerCredentials): boolean {
    return this === other;
  }
}

/** Nest's gRPC transport that tells which port it got, with health checks and reflection on the same port. */
export class GrpcListener extends ServerGrpc {
  private boundPort = 0;
  private readonly health = new HealthImplementation({ '': 'NOT_SERVING' });

  constructor(private readonly listener: GrpcListenerOptions) {
    super({
      package: [...packages.map((name) => `${packagePrefix}.${name}`), agentPackage],
      protoPath: [...protoFiles()],
      loader: loaderOptions,
      onLoadPackageDefinition: (definition: ReturnType<typeof loadSync>, server: Server) => {
        new ReflectionService({ ...definition, ...loadSync(healthProto, loaderOptions) }).addToServer(server);
        this.health.addToServer(server);
      },
    });
  }

  get port(): number {
    return this.boundPort;
  }

  /** What `grpc.health.v1.Health` answers, for the whole server and for each of its services. */
  setServing(serving: boolean): void {
    for (const name of ['', ...serviceNames]) this.health.setStatus(name, serving ? 'SERVING' : 'NOT_SERVING');
  }

  override async createClient(): Promise<Server> {
    const server = new Server({
      'grpc.max_receive_message_length': maxMessageBytes,
      'grpc.max_send_message_length': maxMessageBytes,
    });
    const { host, port, certificate } = this.listener;
    const credentials = new RenewableCredentials(certificate.current);
    certificate.onRenewed((pair) => credentials.renew(pair));
    const address = host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
    this.boundPort = await new Promise<number>((resolve, reject) => {
      server.bindAsync(address, credentials, (error, bound) => (error ? reject(error) : resolve(bound)));
    });
    return server;
  }
}

const serviceNames = [
  serviceName('template', 'TemplateService'),
  serviceName('workflow', 'WorkflowService'),
  serviceName('hardware', 'HardwareService'),
  serviceName('events', 'EventsService'),
  agentService,
];
