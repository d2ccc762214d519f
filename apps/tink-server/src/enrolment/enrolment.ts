import { createHash, randomBytes, randomUUID } from 'node:crypto';
import { isIPv6 } from 'node:net';
import { bootTokens, enrolmentDecider, ForbiddenError, NotFoundError, parseMac } from '@tinkerbell/domain';
import type { BootEvent } from '@tinkerbell/events';
import { handle, type EventStore } from '@tinkerbell/event-store';
import { subjects, type EnrolReply, type EnrolRequest } from '@tinkerbell/messaging';
import { metadataFor, streamOf, type Caller } from '../commands/caller';
import type { ReadSide } from '../read-side';

/** Signs a worker's credential: what `NatsIdentity` of @tinkerbell/identity does. */
export interface WorkerCredentials {
  mintWorkerJwt(options: {
    readonly publicKey: string;
    readonly workerId: string;
    readonly expiresAt: Date;
  }): Promise<string>;
}

export interface EnrolmentOptions {
  /** What a worker connects to and pulls from, by the family of the address that it comes from. */
  readonly places: Readonly<Record<4 | 6, { readonly natsUrl: string; readonly registry: string }>>;
  /** PEM. */
  readonly ca: string;
  readonly registry: Omit<EnrolReply['registry'], 'address'>;
  readonly credentialSeconds: number;
  readonly tokenSeconds: number;
  /** Milliseconds since 1970, by the clock that all servers have in common. */
  readonly now: () => number;
}

/** Trades a one-time token for a worker's own credential. */
export class Enrolment {
  constructor(
    private readonly store: EventStore,
    private readonly reads: ReadSide,
    private readonly credentials: WorkerCredentials,
    private readonly options: EnrolmentOptions,
  ) {}

  /** `address`: where the request came from. Throws ForbiddenError when the token is not good for this worker. */
  async enrol(request: EnrolRequest, address: string): Promise<EnrolReply> {
    const { workerId, publicKey } = request;
    await this.reads.atLeast(await this.store.lastPosition());
    const mac = this.ownMac(workerId, request.mac);
    const tokenHash = hashOf(request.token);
    const now = new Date(this.options.now());
    const expiresAt = new Date(now.getTime() + this.options.credentialSeconds * 1000);
    const command = {
      type: 'EnrolWorker',
      hardwareId: workerId,
      tokenHash,
      publicKey,
      mac,
      address,
      now: now.toISOString(),
      expiresAt: expiresAt.toISOString(),
      bootTokens: bootTokens((await this.store.read<BootEvent>(subjects.stream('boot', mac))).events),
    } as const;
    // Never the id of an earlier request: a repeated one has to pass the rules again, the key may have been fenced since.
    const metadata = { id: randomUUID(), actor: `worker:${workerId}` };
    const stream = streamOf('enrolment', workerId);
    const { position } = await handle(this.store, enrolmentDecider, stream, command, metadata);
    await this.reads.settle(position);
    const jwt = await this.credentials.mintWorkerJwt({ publicKey, workerId, expiresAt });
    const { places, ca, registry } = this.options;
    const place = places[isIPv6(address) ? 6 : 4];
    return {
      ...{ workerId, jwt, natsUrl: place.natsUrl, ca, expiresAt: expiresAt.toISOString() },
      registry: { address: place.registry, ...registry },
    };
  }

  /** A one-time token for a worker that does not come from a netboot. It is shown once; only its hash is kept. */
  async issueToken(
    hardwareId: string,
    caller: Caller,
  ): Promise<{ readonly token: string; readonly expiresAt: string }> {
    if (!this.reads.hardware.get(hardwareId)) throw new NotFoundError('hardware', hardwareId);
    const token = randomBytes(32).toString('base64url');
    const now = new Date(this.options.now());
    const expiresAt = new Date(now.getTime() + this.options.tokenSeconds * 1000).toISOString();
    const command = { type: 'IssueToken', tokenHash: hashOf(token), expiresAt, now: now.toISOString() } as const;
    // Without the client's key: the token cannot be shown a second time, so a repeated request gets a new one.
    const metadata = metadataFor({ actor: caller.actor }, `enrolment.token:${hardwareId}`);
    const stream = streamOf('enrolment', hardwareId);
    const { position } = await handle(this.store, enrolmentDecider, stream, command, metadata);
    await this.reads.settle(position);
    return { token, expiresAt };
  }

  private ownMac(workerId: string, given: string): string {
    const row = this.reads.hardware.get(workerId);
    if (!row) throw new ForbiddenError(`no hardware ${workerId} is registered`);
    const mac = parseMac(given);
    if (mac !== undefined && row.hardware.network.interfaces.some(({ dhcp }) => dhcp.mac === mac)) return mac;
    throw new ForbiddenError(`hardware ${workerId} has no interface ${given}`);
  }
}

function hashOf(token: string): string {
  return createHash('sha256').update(token).digest('hex');
}
